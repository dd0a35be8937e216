"""A slot of the pace that all processes share, and what is told of how the provider answers.

A slot is reserved at once and waited for here: callers are served in the order they came and nobody polls.
"""

import logging
import time
from dataclasses import dataclass

from market.sources.errors import ProviderError
from market.sources.pace import scripts
from market.sources.pace.state import State
from monitoring import jobs, redis

logger = logging.getLogger(__name__)

BURST = 4
FAILURES_TO_OPEN = 5
COOL_DOWN_SECONDS = 60
BRIEF = (
    1 / 8
)  # of a cool-down, after failures that are no 429: one probe then harms nobody, and an outage is often short
LONGEST_COOL_DOWN_SECONDS = 1800
_LONGEST = LONGEST_COOL_DOWN_SECONDS * 1000
LOOK_SECONDS = 0.2  # between two looks, while waiting, whether the job that asks must stop
PROBE_SECONDS = 30  # a probe that says nothing for this long is given up, and another may go
SLOW_SECONDS = 3  # an answer that takes longer says that the provider has too much to do
# What is left of the share of the rate that is asked for, after a 429 and after a slow answer, and at the least.
LIMITED, SLOWED, LEAST = 0.5, 0.8, 1 / 16
RECOVERY_SECONDS = 300  # of good answers, until the whole rate is asked for again
CREDIT_SECONDS = 15  # of these at most for one answer: the pace of before comes back by answers, not by silence


class NoSlot(ProviderError):
    """We did not ask at all; says nothing new about the provider.

    why: how it failed before, else empty. seconds: after which there may be a slot.
    """

    def __init__(self, message: str, *, code: str, seconds: float, why: str = "") -> None:
        super().__init__(message, code=code, temporary=True, was_asked=False)
        self.why, self.seconds = why, seconds


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of one provider: at most `rate` requests a second over all processes that share the Redis."""

    provider: str
    rate: float
    burst: int = BURST
    cool_down_seconds: float = COOL_DOWN_SECONDS

    def wait(self, *, longest_seconds: float) -> None:
        """Return when a request may leave.

        Raises NoSlot, temporary, where no slot is free within `longest_seconds` or the breaker is open. A checkpoint
        of the job that asks.
        """
        slot = 1000 / self.rate
        limits = [slot, slot * (self.burst - 1), longest_seconds * 1000, PROBE_SECONDS * 1000, _LONGEST]
        answer = self.run(scripts.TAKE, ["bucket", "breaker", "health"], limits)
        verdict, seconds = answer[0], int(answer[1]) / 1000
        if verdict == b"open":
            because = "as people paused it" if answer[4] else "after it failed"
            text = f"{self.provider}: not asked for another {seconds:.0f} s, {because}"
            raise NoSlot(text, code=answer[2].decode(), seconds=seconds, why=answer[3].decode())
        if verdict == b"full":
            text = f"{self.provider}: our own limit of {self.rate:g} requests a second is used up for {seconds:.1f} s"
            raise NoSlot(text, code="rate_limited", seconds=seconds)
        pause(seconds)

    def failed(
        self, code: str, why: str = "", *, at: int = FAILURES_TO_OPEN, seconds: float = 0, retry_after: float = 0
    ) -> None:
        """Count a failure of the provider itself; a 429 or so many in a row stop all requests for a while.

        A 429 halves the pace too. seconds: how long it took. retry_after: seconds to leave it alone at the least.
        """
        cool_down = self.cool_down_seconds * (1 if code == "rate_limited" else BRIEF)
        limits = [at, cool_down * 1000, _LONGEST, why, LIMITED, LEAST, seconds * 1000, retry_after * 1000]
        cool_down = self.run(scripts.FAILED, ["breaker", "health"], [code, *limits])
        if cool_down:
            logger.warning("%s: %s, asking again in %.0f s", self.provider, code, int(cool_down) / 1000)

    def slow(self, seconds: float) -> None:
        """An answer took so long, or did not come in that time: fewer are asked for until they come quickly again."""
        if self.run(scripts.SLOW, ["health"], [SLOWED, LEAST, seconds * 1000]):
            logger.warning("%s: an answer took %.1f s, asking more slowly", self.provider, seconds)

    def doubted(self, about: str, why: str) -> None:
        """It answered with nonsense. About one thing that says nothing against it; about five, and nothing sane in
        between, it is a failure.
        """
        if int(self.run(scripts.DOUBTED, ["doubts"], [about, 2 * _LONGEST])) >= FAILURES_TO_OPEN:
            self.failed("upstream_down", why, at=1)

    def succeeded(self) -> None:
        """The provider answered: failures so far are forgotten, a probe that succeeds closes the breaker, and a pace
        that was slowed grows again.
        """
        limits = [_LONGEST, RECOVERY_SECONDS * 1000, CREDIT_SECONDS * 1000]
        self.run(scripts.SUCCEEDED, ["breaker", "doubts", "health"], limits)

    def state(self) -> State:
        """How it stands now."""
        with redis.client().pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.hgetall(self._key("breaker"))
            pipe.hgetall(self._key("health"))
            (seconds, microseconds), breaker, health = pipe.execute()
        now = seconds * 1000 + microseconds // 1000
        return State.read(self.rate, breaker, health, now=now, furthest=_LONGEST)

    def run(self, script: str, parts: list[str], arguments: list) -> object:
        """One of `scripts`, on these parts of the pace."""
        return redis.client().eval(script, len(parts), *map(self._key, parts), *arguments)

    def _key(self, part: str) -> str:
        return redis.key("pace", self.provider, part)


def pause(seconds: float) -> None:
    """Wait, as a checkpoint of the job that does."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        jobs.current().checkpoint()
        time.sleep(min(left, LOOK_SECONDS))
