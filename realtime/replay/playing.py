"""One client's replay. It plays a session after the other, as fast as its client reads and its rate allows: what is not
read is not made, so that nothing of it piles up. It lives in the event loop, in slices.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from django.conf import settings

from analysis.indicators.entry import Indicator
from market import prices
from market.intervals import Interval
from market.player import Clock, Sessions
from realtime import messages
from realtime.alerts import Rules
from realtime.clients import Client
from realtime.frames import Encoded
from realtime.messages import Refused
from realtime.replay.body import Body, Told
from realtime.replay.signals import Signals
from realtime.replay.turns import Turns

logger = logging.getLogger(__name__)

PLAYING, PAUSED, ENDED, STOPPED = messages.REPLAY_STATES
ASKED, IDLE, RIGHTS_ENDED, FAILED = messages.REPLAY_REASONS
STREAM = "played"  # what waits of it for a client
SHORTEST_SECONDS = 0.005  # shorter waits are taken together
TOGETHER_BYTES = 32 * 1024  # more does not wait for others: it fits into one write
ROOM_SECONDS = 0.02  # between two looks at whether a client reads
IDLE_SECONDS = 600.0  # so long it may stand still, before another one gets its place


class Playing:
    """From its first session to its last, and on from wherever its client seeks.

    rules, extra, within, signals: as Body has them. at: the day it begins with; is_paused: it is held there. flush:
    lets what waits for a client leave. may_play: whether its client still may. turns: those of the replays
    that it plays beside. rate: messages a second at most; speed: seconds of
    a session in one. None of either: as fast as it goes.
    """

    def __init__(
        self,
        client: Client,
        sessions: Sessions,
        speed: float | None,
        *,
        flush: Callable[[Client], object],
        rules: Rules | None = None,
        extra: Mapping[str, Indicator] = MappingProxyType({}),
        within: Sequence[Interval] = (),
        signals: Mapping[str, Signals] = MappingProxyType({}),
        at: date | None = None,
        is_paused: bool = False,
        may_play: Callable[[], bool] = lambda: True,
        turns: Turns | None = None,
        rate: float | None = None,
    ) -> None:
        self._client, self._flush, self._may_play = client, flush, may_play
        self.sessions, self.state, self.reason = sessions, PAUSED if is_paused else PLAYING, ""
        self.count = 0  # messages that were told
        self._body = Body(sessions, datetime.now(UTC), rules, extra, within, signals)
        self._clock, self._takes = Clock(speed, time.monotonic()), 1 / rate if rate else 0.0
        self._changed, self._turns = asyncio.Event(), turns or Turns()
        self._turn_to(0 if at is None else number_of(sessions, at, "replay.at"))

    # What its client says to it

    def pause(self) -> None:
        if self.state == PLAYING:
            self._become(PAUSED)

    def resume(self, speed: float | None = None) -> None:
        """speed: from now on; the one that it has where it is not said."""
        self._clock.speed = speed or self._clock.speed
        if self.state in (PAUSED, PLAYING):
            self._become(PLAYING)

    def seek(self, number: int) -> None:
        """Go on from a session; what it plays of the present one is not sent any more."""
        self._client.forget([STREAM])
        self._turn_to(number)
        self._become(PLAYING if self.state == ENDED else self.state)

    def stop(self, reason: str = ASKED) -> None:
        self._client.forget([STREAM])
        self.reason = reason
        self._become(STOPPED)

    @property
    def number(self) -> int:
        """That of its session."""
        return self._number

    @property
    def rules(self) -> Rules:
        return self._body.rules

    def stands(self, id: str | int | None = None) -> dict[str, Any]:
        """How it stands, as it is told."""
        session = self.sessions.date(self._number)
        said = {
            "type": "replay",
            "state": self.state,
            "at": prices.instant(prices.midnight(session)),
            "session_date": session.isoformat(),
            "symbols": [held.ticker for held in self.sessions.held],
            "start": self.sessions.start.isoformat(),
            "end": self.sessions.end.isoformat(),
            "speed": self._clock.speed,
            "messages": self.count,
            "reason": self.reason,
            "id": id,
        }
        return {name: value for name, value in said.items() if value not in (None, "")}

    # How it goes on

    async def go_on(self) -> None:
        """Until it is stopped."""
        while self.state != STOPPED:
            self._changed.clear()
            if self.state == PLAYING:
                await self._play()
            elif not await self._waited(IDLE_SECONDS):
                self._end(STOPPED, IDLE)

    async def _play(self) -> None:
        """Until something is said to it, or it ends."""
        self._clock.begin(time.monotonic())
        if self._next is not None:
            self._clock.wait(self._next.after, time.monotonic())  # it is due at once
        while not self._changed.is_set():
            async with self._turns.taken() as until:
                wait = 0.0 if self._changed.is_set() else self._tell_until(until)
            await self._rest(wait)

    def _tell_until(self, until: float) -> float:
        """Tell what was waited for, and on while its turn lasts and one write takes it; gives how long to wait then."""
        if self._next is not None:
            self._tell(self._next)
        while self._find_next():
            next = self._next
            wait = self._clock.wait(next.after, time.monotonic(), takes=len(next.bodies) * self._takes)
            if wait >= SHORTEST_SECONDS or time.thread_time() >= until or self._client.outbox.bytes >= TOGETHER_BYTES:
                self._flush(self._client)
                return wait
            self._tell(next)
        return 0.0

    def _find_next(self) -> bool:
        """The next price; False where there is none any more, or the client may not hear it."""
        while (told := next(self._steps, None)) is None:
            if self._number + 1 == len(self.sessions):
                self._end(ENDED)
                return False
            self._turn_to(self._number + 1)
        if not self._may_play():
            self._end(STOPPED, RIGHTS_ENDED)
            return False
        self._next = told
        return True

    async def _rest(self, wait: float) -> None:
        """Until the next is due and there is room for it, or something is said to it."""
        if wait >= SHORTEST_SECONDS and await self._waited(wait):
            return
        while self._client.is_busy or self._client.outbox.waiting:  # it reads no faster
            if await self._waited(ROOM_SECONDS):
                return

    def _tell(self, told: Told) -> None:
        self._next = None
        for body in told.bodies:
            self._client.add(Encoded(body), STREAM)
        self.count += len(told.bodies)

    async def _waited(self, seconds: float) -> bool:
        """Whether something was said to it within so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        return self._changed.is_set()

    def _turn_to(self, number: int) -> None:
        self._number = number
        self._steps: Iterator[Told] = self._body.session(number)
        self._next: Told | None = None

    def _become(self, state: str) -> None:
        self.state = state
        self._changed.set()

    def _end(self, state: str, reason: str = "") -> None:
        """By itself, which its client is told."""
        self.reason = reason
        self._become(state)
        self._client.add(Encoded(messages.encode(self.stands())), STREAM)
        self._flush(self._client)


async def played(playing: Playing) -> None:
    """Play it to its end; the last line of defence: what breaks ends it, and its client hears so."""
    try:
        await playing.go_on()
    except Exception:
        logger.exception("a replay of %s broke", playing.sessions.held[0].ticker)
        playing._end(STOPPED, FAILED)


def number_of(sessions: Sessions, day: date, name: str) -> int:
    """The number of the first session from a day on. name: of the field that says it.

    Raises Refused where that is not of these.
    """
    first, last = sessions.start, sessions.end
    if not first <= day <= last:
        raise Refused("invalid", f"{name} is {day}; this replay goes from {first} to {last}.")
    number = sessions.first(day)
    if number == len(sessions):
        raise Refused("no_bars", f"None of its symbols has a session from {day} to {last}.")
    return number


def rate() -> float:
    """Messages a second that one may tell."""
    return settings.REPLAY_RATE
