"""Rows of what was told."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import reduce
from operator import or_

from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.db.models import Q, Value
from django.db.models.functions import Replace
from django.utils import timezone

from market.clock.passes import KEPT
from market.models import DataSource
from monitoring import turns
from realtime import kinds, streams
from realtime.messages import Message
from realtime.models import Event
from realtime.streams import Position, Published

AT_ONCE = 500
PATIENCE_SECONDS = 10
# What is told anew in each pass of a recording; the rest is told once, whatever is played.
OF_MARKET = reduce(or_, (Q(stream__startswith=f"{kind.name}:") for kind in kinds.RENEWED if kind.has_rows))


def keep(messages: Sequence[Message], published: Published, *, number: int | None = None) -> None:
    """Write what was published of kinds that have rows. Safe to run again. Raises the database's errors.

    number: of the pass of a recording that it happened in, which may be over by now; None: of the one that runs.
    """
    if not any(kinds.of(message.stream).has_rows for message in messages):
        return
    are_new = len(published.numbers) == len(messages)
    _write(
        (
            _event(messages[index].stream, place, _told(messages[index], place, is_new=are_new))
            for index, place in published.places().items()
            if kinds.of(messages[index].stream).has_rows
        ),
        number,
    )


def mend() -> int:
    """Write what the streams' history has and no row tells of, as whoever told it ended first. Returns how many.

    What was told to somebody whose account has ended meanwhile was deleted with it, and stays so.
    """
    names = streams.names({kind.name for kind in kinds.WITH_ROWS})
    owners = {name: int(owner) for name in names if (owner := kinds.owner(name))}
    there = set(get_user_model().objects.filter(is_active=True).values_list("pk", flat=True)) if owners else set()
    return sum(_mend(name) for name in names if name not in owners or owners[name] in there)


def rename(pairs: Iterable[tuple[str, str]], old: str, new: str) -> None:
    """Let what was told of a symbol go on under its new name, as its streams do. Safe to run again."""
    for was, name in pairs:
        if kinds.of(was).has_rows and (rows := list(Event.objects.filter(stream=was))):
            # Where a crash came in between, the other name may have been mended from the history meanwhile.
            mended = set(Event.objects.filter(stream=name).values_list("epoch", "seq"))
            twice = [row.pk for row in rows if (row.epoch, row.seq) in mended]
            Event.objects.filter(pk__in=twice).delete()
            body = Replace("body", Value(f'"stream":"{was}"'), Value(f'"stream":"{name}"'))
            body = Replace(body, Value(f'"symbol":"{old}"'), Value(f'"symbol":"{new}"'))
            Event.objects.filter(stream=was).update(stream=name, body=body)


def forget_before(instant: datetime) -> int:
    """Delete what was written before, oldest first, a few at a time. Returns how many."""
    return turns.delete_before(Event, "written_at", instant, AT_ONCE)


def forget_passes() -> int:
    """Delete what was told of the market in passes of a recording that are kept no longer, a few at a time. Returns how
    many.
    """
    last = DataSource.objects.pass_number() - KEPT
    return turns.delete(Event.objects.filter(OF_MARKET, pass_number__lte=last), AT_ONCE)


def _told(message: Message, place: Position, *, is_new: bool) -> bytes:
    """As it was told: whoever repeats it may word it with another instant."""
    again = None if is_new else streams.said(message.stream, place)
    return again or message.body[:-1] + b',"seq":%d}' % place.seq


def _mend(stream: str) -> int:
    epoch, told = streams.history(stream)
    if not told:
        return 0
    written = set(Event.objects.filter(stream=stream, epoch=epoch).values_list("seq", flat=True))
    lost = [(seq, body) for seq, body in told if seq not in written]
    _write(_event(stream, Position(epoch, seq), body) for seq, body in lost)
    return len(lost)


def _event(stream: str, place: Position, body: bytes) -> Event:
    owner = kinds.owner(stream)
    return Event(
        stream=stream,
        epoch=place.epoch,
        seq=place.seq,
        owner_id=owner and int(owner),
        body=body.decode(),
        written_at=timezone.now(),
    )


def _write(events: Iterable[Event], number: int | None = None) -> None:
    if rows := list(events):
        number = DataSource.objects.pass_number() if number is None else number
        for row in rows:
            row.pass_number = number
        with _in_order(), turns.taken():
            Event.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)


@contextmanager
def _in_order() -> Iterator[None]:
    """One writer at a time, so that no row appears behind one that somebody has read. SQLite has one by itself."""
    if connection.vendor == "sqlite":
        yield
        return
    name = f"events.{connection.settings_dict['NAME']}"[:64]
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", [name, PATIENCE_SECONDS])
        if cursor.fetchone() != (1,):
            raise OperationalError(f"somebody else has written events for {PATIENCE_SECONDS} s")
        try:
            yield
        finally:
            cursor.execute("SELECT RELEASE_LOCK(%s)", [name])
