"""How often somebody may try what a guesser tries often: a password, a reset, a registration.

Counted as `access.limits` counts, of each network and of each name or address that was typed, whether there is one or
not: so that who is told to wait learns nothing about it.
"""

import math
from collections.abc import Iterable

from django.http import HttpRequest
from django.utils.translation import ngettext

from finstage.access import limits
from monitoring.limits import Limit

FIVE_MINUTES, HOUR = 300, 3600

wrong_passwords = Limit("wrong-passwords", 20, window_seconds=FIVE_MINUTES)
resets_of_network = Limit("resets", 20, window_seconds=HOUR)
resets_of_address = Limit("resets-of-an-address", 3, window_seconds=HOUR)
registrations = Limit("registrations", 20, window_seconds=HOUR)


def network(request: HttpRequest) -> str:
    return limits.asker(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def wait(limit: Limit, *who: str) -> float:
    """Seconds until one more of all of them would be counted; 0 where it would be now."""
    return max(limit.wait(each) for each in who)


def note(limit: Limit, *who: str) -> None:
    for each in who:
        limit.take(each)


def typed(text: str) -> str:
    """A name or an address as it counts: small letters, and no more of it than a name has."""
    return f"typed:{text.strip().casefold()[:254]}"


def sentence(seconds: float) -> str:
    """What is said to whom it does not let in."""
    minutes = math.ceil(seconds / 60)
    told = ngettext(
        "Too many tries from here. Wait {n} minute and try again.",
        "Too many tries from here. Wait {n} minutes and try again.",
        minutes,
    )
    return told.format(n=minutes)


def first_wait(pairs: Iterable[tuple[Limit, str]]) -> float:
    """Count one for each limit, and tell the longest wait of those that were over; 0 where none was."""
    standings = [limit.take(who) for limit, who in pairs]
    return max((each.wait_seconds for each in standings if each is not None), default=0)
