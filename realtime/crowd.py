"""How many sockets and streams of events somebody may hold at once: an address, a person, a key.

Counted in the memory of each web process, like requests: of N processes somebody gets up to N times as much. Every
connection counts for its address; one that showed who it is, for its person too, and for the key that it showed.
"""

import logging
from collections import Counter
from collections.abc import Hashable

from django.conf import settings

from monitoring import metrics
from realtime import people
from realtime.clients import Client
from realtime.messages import Refused
from realtime.people import Credential, Person
from realtime.transports.logs import sparing

logger = logging.getLogger(__name__)

ADDRESS, USER, KEY = "address", "user", "key"
REFUSED = "too_many_connections"
RETRY_SECONDS = 5
_Seat = tuple[str, Hashable]


class Crowd:
    """Who is here, by what counts for them."""

    def __init__(self) -> None:
        self._taken: Counter[_Seat] = Counter()
        self._of: dict[Client, set[_Seat]] = {}

    def come(self, client: Client, address: str | None) -> None:
        """It comes from there; None: nobody knows from where. Raises Refused, and nothing is taken then."""
        if address is not None:
            self._take(client, {(ADDRESS, address)})

    def show(self, client: Client, shown: Credential, person: Person) -> None:
        """It is this person, by what it showed. Raises Refused, and nothing is taken then."""
        seats: set[_Seat] = {(USER, person.user_id)}
        if shown.look is not people.of:
            seats.add((KEY, shown.name))
        self._take(client, seats)

    def forget(self, client: Client) -> None:
        """It is nobody's now, wherever it came from."""
        self._free(client, {seat for seat in self._of.get(client, ()) if seat[0] != ADDRESS})

    def leave(self, client: Client) -> None:
        self._free(client, set(self._of.get(client, ())))

    def _take(self, client: Client, seats: set[_Seat]) -> None:
        own = self._of.get(client, set())
        new = seats - own
        for what, who in sorted(new, key=str):
            most = MOST[what]()
            if most and self._taken[what, who] >= most:
                raise _refusal(what, most)
        self._taken.update(new)
        self._of[client] = own | new

    def _free(self, client: Client, seats: set[_Seat]) -> None:
        for seat in seats:
            self._taken[seat] -= 1
            if not self._taken[seat]:
                del self._taken[seat]
        if left := self._of.get(client, set()) - seats:
            self._of[client] = left
        else:
            self._of.pop(client, None)


def _refusal(what: str, most: int) -> Refused:
    metrics.CONNECTIONS_REFUSED.labels(what).inc()
    setting = f"FINSTAGE_CONNECTIONS_PER_{what.upper()}"
    proxy = "; behind a proxy of yours, FINSTAGE_TRUSTED_PROXIES names it" if what == ADDRESS else ""
    fix = f"{setting}={most} is the limit{proxy}"
    sparing.tell(logger.warning, REFUSED + what, "refused a connection, one %s has %d: %s", what, most, fix)
    text = f"{most:,} sockets and streams of one {what} are open, the most that may be at once: close one first."
    return Refused(REFUSED, text, retry_after=RETRY_SECONDS)


# Read when it is asked, as settings are.
MOST = {
    ADDRESS: lambda: settings.CONNECTIONS_PER_ADDRESS,
    USER: lambda: settings.CONNECTIONS_PER_USER,
    KEY: lambda: settings.CONNECTIONS_PER_KEY,
}
