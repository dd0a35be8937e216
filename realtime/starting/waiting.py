"""The clients of this process that wait for a symbol.

A job asks the source, at the pace of all. A web process looks once a second, for all its clients at once, what became
of the jobs. Each client is then answered in a task of its own: one that does not read holds up nobody.
"""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from market import symbols
from monitoring.loops import Loop
from realtime import asked, messages, visitors
from realtime.clients import Client
from realtime.hub import Hub, Unreachable
from realtime.messages import Refused
from realtime.places import LATEST
from realtime.rights import Rights
from realtime.starting import asking
from realtime.starting.asking import Answer, Outcome
from realtime.visitors import Busy

LOOK_SECONDS = 1.0
MOST = 100  # that one client may wait for
_SAME = ("type", "interval", "indicators", "mode")


@dataclass(frozen=True, slots=True)
class Wait:
    """A client waits for a symbol, to hold of it what its action says; most: streams that it may hold.

    job: what looks for it; None where it is there by now.
    """

    client: Client
    text: str
    job: UUID | None
    action: dict[str, Any]
    most: int

    @property
    def key(self) -> tuple[str, ...]:
        """The same twice is the same wait, of which the last id counts."""
        return self.text, *(str(self.action.get(name)) for name in _SAME)


class Starting:
    def __init__(self, hub: Hub, rights: Rights) -> None:
        self._hub, self._rights = hub, rights
        self._waits: dict[Client, dict[tuple[str, ...], Wait]] = {}
        self._looking: asyncio.Task | None = None
        self._telling: set[asyncio.Task] = set()

    async def ask(self, client: Client, texts: list[str], *, may_write: bool = True) -> Answer:
        """Start these in the client's name, as far as it may. Raises Busy, Refused and redis' errors."""
        person = await self._rights.identify(client) if may_write else None
        return await visitors.run(asking.ask, person, texts, min(asking.AT_ONCE, self._room(client)))

    def wait(self, client: Client, action: dict[str, Any], answer: Answer, most: int = asked.MAX_HELD) -> None:
        """Let a client hold what was started as its action says, once it is there."""
        plain = {name: value for name, value in action.items() if name not in ("symbols", "since")}
        own = self._waits.setdefault(client, {})
        for text, addition in answer.started.items():
            wait = Wait(client, text, addition.job, plain, most)
            own[wait.key] = wait
        if not own:
            del self._waits[client]
        elif self._looking is None:
            self._looking = asyncio.create_task(self._look_on())

    def forget(self, client: Client, action: dict[str, Any] | None = None) -> set[str]:
        """The client has gone, or gives up what an action names; what it called them."""
        waits = self._waits.get(client, {})
        gone = [key for key, wait in waits.items() if action is None or _is_given_up(wait, action)]
        texts = {waits.pop(key).text for key in gone}
        if not waits:
            self._waits.pop(client, None)
        return texts

    def stop(self) -> None:
        for task in (self._looking, *self._telling):
            if task is not None:
                task.cancel()

    def _room(self, client: Client) -> int:
        return max(0, MOST - len(self._waits.get(client, ())))

    async def _look_on(self) -> None:
        """Look again and again for as long as anybody waits."""
        with Loop("starting", every_seconds=LOOK_SECONDS, away=(Busy, *Unreachable)) as loop:
            while self._waits:
                await asyncio.sleep(LOOK_SECONDS)
                with loop.turn():
                    await self._look()
        self._looking = None

    async def _look(self) -> None:
        waits = [wait for own in self._waits.values() for wait in own.values()]
        ended = await visitors.run(asking.outcomes, {(wait.text, wait.job) for wait in waits})
        if any(outcome.ticker for outcome in ended.values()):
            visitors.forget_names()  # a list of a moment ago has it not
        for wait in waits:
            if (outcome := ended.get((wait.text, wait.job))) is not None and self._is_waiting(wait):
                telling = asyncio.create_task(self._tell(wait, outcome))
                self._telling.add(telling)
                telling.add_done_callback(self._telling.discard)

    def _is_waiting(self, wait: Wait) -> bool:
        """No more from here on: whoever asks is about to tell it."""
        own = self._waits.get(wait.client, {})
        if own.get(wait.key) is not wait:
            return False
        del own[wait.key]
        if not own:
            del self._waits[wait.client]
        return True

    async def _tell(self, wait: Wait, outcome: Outcome) -> None:
        client, id = wait.client, wait.action.get("id")
        try:
            if outcome.ticker:
                await self._join(wait, outcome.ticker)
                return
            refused = _refusal(wait.text, outcome)
        except Refused as error:
            refused = error
        except (Busy, *Unreachable):
            text = f"{wait.text} is there now, and the server can't reach its data: subscribe again in a few seconds."
            refused = Refused("temporarily_unavailable", text)
        refused.id = id
        client.say(messages.error(refused.code, str(refused), **refused.more))
        self._hub.answer(client)

    async def _join(self, wait: Wait, ticker: str) -> None:
        client, action = wait.client, wait.action
        meant = await asked.streams(client, self._rights, {**action, "symbols": [ticker]})
        if meant.is_none:
            raise asked.refusal(meant.unknown)
        asked.check_room(client, meant.streams, wait.most)
        await self._hub.want(meant.streams)
        left = [each.text for each in self._waits.get(client, {}).values() if each.action.get("id") == action.get("id")]
        mode = action.get("mode", LATEST)
        await self._hub.subscribe(client, dict.fromkeys(meant.streams, mode), {}, id=action.get("id"), starting=left)


def _is_given_up(wait: Wait, action: dict[str, Any]) -> bool:
    named = list(map(symbols.folded, action.get("symbols", ["*"])))
    return (
        action["type"] in (messages.EVERYTHING, wait.action["type"])
        and ("*" in named or wait.text in named)
        and action.get("interval") in (None, wait.action.get("interval"))
    )


def _refusal(text: str, outcome: Outcome) -> Refused:
    if outcome.code == "unknown_symbol":
        return asked.refusal([text], asking.UNKNOWN, outcome.near)
    # Who asks again by itself would use up what its person may ask for within a day.
    return Refused(
        "not_started", f"{text} could not be started ({outcome.code}): subscribe again later.", symbols=[text]
    )
