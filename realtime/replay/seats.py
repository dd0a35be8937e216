"""How many replays there are in this process, and of whom: of N web processes somebody gets up to N times as many."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Any

from django.conf import settings

from market.player import Sessions
from monitoring import metrics
from realtime.clients import Client
from realtime.messages import Refused
from realtime.replay import playing
from realtime.replay.playing import STOPPED, Playing
from realtime.replay.turns import Turns


class Replays:
    """One a client at most. flush: lets what waits for a client leave."""

    def __init__(self, flush: Callable[[Client], object]) -> None:
        self._flush, self._turns = flush, Turns()
        self._taken: dict[Client, tuple[Hashable, Playing, asyncio.Task]] = {}

    def of(self, client: Client) -> Playing:
        """A client's replay. Raises Refused where it has none."""
        if client not in self._taken:
            raise Refused("no_replay", 'No replay plays on this connection; {"action": "replay", ..} begins one.')
        return self._taken[client][1]

    def check_room(self, client: Client, who: Hashable) -> None:
        """Raises Refused where somebody, or the process, has as many as may be; a client's own makes room."""
        others = [taken for other, (taken, *_) in self._taken.items() if other is not client]
        if others.count(who) >= settings.REPLAYS_PER_USER:
            told = f"{settings.REPLAYS_PER_USER} replays of one user or address play, the most that may be at once"
        elif len(others) >= settings.REPLAYS_PER_PROCESS:
            told = f"{settings.REPLAYS_PER_PROCESS} replays play here, the most that may be at once"
        else:
            return
        raise Refused("too_many_replays", f"{told}: stop one first, or try again later.")

    def begin(self, client: Client, who: Hashable, sessions: Sessions, speed: float, **how: Any) -> Playing:
        """In place of the one that the client has; how: as Playing has it. Raises Refused; nothing has changed then."""
        self.check_room(client, who)
        new = Playing(client, sessions, speed, flush=self._flush, turns=self._turns, rate=playing.rate(), **how)
        self.leave(client)
        task = asyncio.create_task(playing.played(new))
        self._taken[client] = who, new, task
        task.add_done_callback(lambda _: self._over(client, new))
        metrics.REPLAYS.set(len(self._taken))
        return new

    def leave(self, client: Client) -> None:
        """It hears no more of its replay."""
        if client in self._taken:
            _, gone, task = self._taken[client]
            gone.state = STOPPED
            task.cancel()
            self._over(client, gone)

    def _over(self, client: Client, gone: Playing) -> None:
        if client in self._taken and self._taken[client][1] is gone:
            del self._taken[client]
            metrics.REPLAYS.set(len(self._taken))
