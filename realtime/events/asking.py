"""Which events somebody asks for, and whether all of them are there."""

from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q, QuerySet

from market.models import DataSource
from realtime.events.writing import OF_MARKET
from realtime.models import Event
from realtime.streams import Position


@dataclass(frozen=True, slots=True)
class Asked:
    """Events behind a row, or behind a place of one stream, whatever passes of a recording they are of; without either
    those of the pass that runs, from its first.

    user_id: who asks; nobody sees what is another's.
    """

    user_id: int | None
    stream: str | None = None
    after: int | Position | None = None


def found(asked: Asked) -> QuerySet[Event]:
    rows = Event.objects.filter(Q(owner=None) | Q(owner=asked.user_id) if asked.user_id else Q(owner=None))
    if asked.stream is not None:
        rows = rows.filter(stream=asked.stream)
    if asked.after is None:
        rows = rows.filter(~OF_MARKET | Q(pass_number=DataSource.objects.running_pass()))
    elif isinstance(asked.after, int):
        rows = rows.filter(pk__gt=asked.after)
    else:
        rows = rows.filter(_behind(asked.stream, asked.after))
    return rows


def is_whole(asked: Asked) -> bool | None:
    """Whether all that was told since then is here; not where some is older than what is kept. None: since no place."""
    if asked.after is None:
        return None
    if isinstance(asked.after, int):
        return asked.after == 0 or Event.objects.filter(pk=asked.after).exists()
    epoch, seq = asked.after
    kept = Event.objects.filter(stream=asked.stream).order_by()
    first = kept.filter(epoch=epoch).aggregate(first=Min("pk"))["first"]
    if first is None:
        return False
    is_known = seq == 0 or kept.filter(epoch=epoch, seq=seq).exists()
    since = kept.filter(epoch=epoch, seq__gt=seq).aggregate(count=Count("pk"), last=Max("seq"))
    is_contiguous = since["count"] == 0 or since["count"] == since["last"] - seq
    later = kept.filter(pk__gt=first).exclude(epoch=epoch).values("epoch").annotate(count=Count("pk"), last=Max("seq"))
    return (is_known or since["count"] > 0) and is_contiguous and all(each["count"] == each["last"] for each in later)


def _behind(stream: str, place: Position) -> Q:
    """What was told on a stream after a place of it: the rest of its epoch, and the epochs that came later.

    Where we have nothing of the epoch it is older than all: then everything is.
    """
    first = Event.objects.filter(stream=stream, epoch=place.epoch).aggregate(first=Min("pk"))["first"]
    if first is None:
        return Q()
    return Q(epoch=place.epoch, seq__gt=place.seq) | (~Q(epoch=place.epoch) & Q(pk__gt=first))
