"""What staff want of the player of a recorded source, and where it stands: rows that the player looks at between its
steps, so that whoever serves pages and whoever plays need not meet.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings

from market import prices
from market.coverage import held
from market.models import DataSource, PlayerWish
from market.player.clock import SESSION_SECONDS

SLOWEST, FASTEST = 1, 100_000


class OutOfRange(ValueError):
    """A date of which no session is held."""

    code = "out_of_range"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the player is. session: the one that it plays; None before its first. first, last: what is recorded.
    going_live: the source from which prices are to come instead."""

    pass_number: int
    session: date | None
    speed: float
    is_paused: bool
    first: date | None
    last: date | None
    going_live: str

    @property
    def at(self) -> datetime | None:
        """The market's time, to the day."""
        return self.session and prices.midnight(self.session)


def wish() -> PlayerWish:
    """What is wanted now."""
    return PlayerWish.objects.filter(pk=1).first() or PlayerWish(pk=1)


def speed(wanted: PlayerWish) -> float:
    """Seconds of a session in one of the wall's."""
    lasts = settings.REPLAY_SESSION_SECONDS
    return wanted.speed or (SESSION_SECONDS / lasts if lasts else math.inf)


def give_up_source(name: str) -> None:
    """What was wished can't be: it plays on."""
    PlayerWish.objects.filter(pk=1, source=name).update(source="")


def standing() -> Standing:
    source, wanted = DataSource.objects.filter(pk=1).first(), wish()
    place = (source.pass_number, source.session) if source else (1, None)
    return Standing(*place, speed(wanted), wanted.paused, *held.ends(), wanted.source)


def want(by: str, **wanted: object) -> None:
    """Write down what somebody wants; what they do not name stays as it is.

    wanted: paused, speed, date; and source, from which to take prices instead. Raises OutOfRange.
    """
    if day := wanted.get("date"):
        known = standing()
        if known.first is None or not known.first <= day <= known.last:
            told = f"sessions go from {known.first} to {known.last}" if known.first else "no session is held yet"
            raise OutOfRange(f"{day} can't be played: {told}.")
    PlayerWish.objects.update_or_create(pk=1, defaults={**wanted, "by": by})
