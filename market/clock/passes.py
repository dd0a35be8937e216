"""Where the player of the recorded source stands, as a row: the truth of it, whatever Redis has lost."""

from dataclasses import dataclass, replace
from datetime import date

from django.db import transaction
from django.db.models import F

from market.models import DataSource, PlayerWish

KEPT = 2  # passes of which is kept what was derived from them: the one that runs, and the one before


@dataclass(frozen=True, slots=True)
class Place:
    """session: the one that runs; None before the first was written."""

    epoch: int
    pass_number: int
    session: date | None


class Overtaken(RuntimeError):
    """Somebody else has moved the player: what began before it writes nothing any more."""

    code = "rewound"


def found() -> Place | None:
    """None before a source is chosen."""
    row = DataSource.objects.filter(pk=1).values_list("epoch", "pass_number", "session").first()
    return row and Place(*row)


def require(pass_number: int) -> None:
    """Within a transaction that writes what was derived in a pass: it runs, and does so until that ends.

    Raises Overtaken. Before a source is chosen there is none to run.
    """
    row = DataSource.objects.select_for_update().filter(pk=1).first()
    if row and row.pass_number != pass_number:
        raise Overtaken(f"pass {pass_number} of the recording is over")


def begin(here: Place, session: date) -> Place:
    """The next session begins. Raises Overtaken."""
    if not _row(here).update(session=session):
        raise Overtaken(f"another feed plays than the one that stands at {here.session} of pass {here.pass_number}")
    return replace(here, session=session)


@transaction.atomic
def jump(here: Place, session: date, *, is_new_pass: bool, wanted: date | None = None) -> Place:
    """Go on elsewhere, in a new epoch. wanted: the wish that is fulfilled by it. Raises Overtaken."""
    number = here.pass_number + is_new_pass
    if not _row(here).update(session=session, pass_number=number, epoch=F("epoch") + 1):
        raise Overtaken(f"another feed plays than the one that stands at {here.session} of pass {here.pass_number}")
    if wanted is not None:
        PlayerWish.objects.filter(pk=1, date=wanted).update(date=None)
    return Place(here.epoch + 1, number, session)


def _row(here: Place) -> object:
    return DataSource.objects.filter(pk=1, epoch=here.epoch, pass_number=here.pass_number)
