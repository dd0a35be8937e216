"""What logged-in clients may hold, for as long as they hold it: asked at the door, and again every 2 s.

One look of the whole process asks the database about all its logins and keys at once, in the sockets' own threads;
while nobody is logged in there is none. Logout, another password, expiry, a key that is revoked or narrowed,
deactivation and lost staff end what they had opened; the socket stays, as nobody's, unless reading prices needs a
login.

Where the database does not answer nothing is known: nobody joins a private stream then, who holds one keeps it for
30 s (a restart; it is also what everybody's logout would need), and then it is taken with a reason of its own. Prices
go on.
"""

import asyncio
import time
from collections.abc import Callable

from django.conf import settings

from monitoring.loops import Loop
from realtime import people, visitors
from realtime.clients import Client
from realtime.crowd import Crowd
from realtime.messages import CLOSE, RIGHTS_ENDED, RIGHTS_UNKNOWN
from realtime.people import Credential, Person
from realtime.visitors import Busy

LOOK_SECONDS = 2.0
UNKNOWN_SECONDS = 30.0
CLIENTS_BEFORE_A_BREATH = 50  # thousands in a row would hold up the event loop


class Rights:
    """The logged-in clients of this process. `end` takes streams from a client and tells it why."""

    def __init__(self, end: Callable[[Client, list[str], str], None], crowd: Crowd) -> None:
        self._end, self._crowd = end, crowd
        self._clients: dict[Credential, set[Client]] = {}
        self._looking = asyncio.Lock()
        self._asked: set[Credential] = set()
        self._next: asyncio.Task | None = None
        self._watching: asyncio.Task | None = None
        self._closing: set[asyncio.Task] = set()
        self._known_at = 0.0

    async def identify(self, client: Client) -> Person | None:
        """Who the client is now, never from memory; what it may not hold any more has ended then.

        Raises Busy, and Refused where that person has too many connections.
        """
        shown = client.credential
        if shown is None:
            return None
        found = await self._ask({shown})
        if client.credential == shown and (person := found.get(shown)) is not None:
            self._crowd.show(client, shown, person)
        self._settle_as(client, shown, found)
        return client.person

    async def admit(self, client: Client, shown: Credential) -> Person | None:
        """Let the client be whom this shows from now on; None, and all as before, where that is nobody.

        Raises Busy, and Refused where that person has too many connections.
        """
        person = (await self._ask({shown})).get(shown)
        if person is None:
            return None
        self.forget(client)
        self._crowd.show(client, shown, person)
        client.credential = shown
        self._settle(client, person)
        return person

    def forget(self, client: Client) -> None:
        """The client has gone, or is nobody's now."""
        client.person = None
        self._crowd.forget(client)
        others = self._clients.get(client.credential, set())
        others.discard(client)
        if not others:
            self._clients.pop(client.credential, None)

    def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()

    async def _ask(self, shown: set[Credential]) -> dict[Credential, Person]:
        """Whom they belong to. Whoever asks while a look is under way shares the next one with all who do."""
        if self._next is None:
            self._next = asyncio.create_task(self._look())
        self._asked |= shown
        return await asyncio.shield(self._next)

    async def _look(self) -> dict[Credential, Person]:
        async with self._looking:
            shown, self._asked, self._next = self._asked, set(), None
            return await visitors.run(people.shown_by, shown)

    def _settle(self, client: Client, person: Person | None) -> None:
        """From now on the client is this person; what only the former one might hold ends."""
        before = client.person
        if person is None:
            self.forget(client)
        else:
            client.person = person
            self._watch(client)
        if person == before:
            return
        self._take(client, person, RIGHTS_ENDED)
        if person is None and not settings.MARKET_DATA_OPEN:
            # A task each: a client that does not read must not hold up the others.
            closing = asyncio.create_task(client.close(CLOSE["invalid_token"]))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def _take(self, client: Client, person: Person | None, reason: str) -> None:
        lost = [stream for stream in client.places if not people.may_hold(person, stream)]
        if lost:
            self._end(client, lost, reason)

    def _watch(self, client: Client) -> None:
        self._clients.setdefault(client.credential, set()).add(client)
        if self._watching is None:
            self._known_at = time.monotonic()
            self._watching = asyncio.create_task(self._look_on())

    async def _look_on(self) -> None:
        """Look again and again for as long as anybody is logged in."""
        with Loop("rights", every_seconds=LOOK_SECONDS, away=(Busy,)) as loop:
            while self._clients:
                await asyncio.sleep(LOOK_SECONDS)
                with loop.turn():
                    await self._look_at_all(loop)
                if time.monotonic() - self._known_at > UNKNOWN_SECONDS:
                    with loop.turn():
                        await self._take_unknown(loop)
        self._watching = None

    async def _look_at_all(self, loop: Loop) -> None:
        watched = {client: shown for shown, clients in self._clients.items() for client in clients}
        found = await self._ask(set(watched.values()))
        self._known_at = time.monotonic()
        changed = [client for client, shown in watched.items() if client.person != found.get(shown)]
        await self._each(loop, changed, lambda client: self._settle_as(client, watched[client], found))

    def _settle_as(self, client: Client, shown: Credential, found: dict[Credential, Person]) -> None:
        """As what it showed when the look began; a client that shows something else since was looked at then."""
        if client.credential == shown:
            self._settle(client, found.get(shown))

    async def _take_unknown(self, loop: Loop) -> None:
        watched = [client for clients in self._clients.values() for client in clients]
        await self._each(loop, watched, lambda client: self._take(client, None, RIGHTS_UNKNOWN))

    async def _each(self, loop: Loop, clients: list[Client], act: Callable[[Client], None]) -> None:
        for number, client in enumerate(clients, 1):
            with loop.one(client.client_id):
                if client.person is not None:  # else it has gone meanwhile
                    act(client)
            if number % CLIENTS_BEFORE_A_BREATH == 0:
                await asyncio.sleep(0)
