"""What a write moves, whoever wrote: by it a write is noticed of a version of ours that knows no coverage.

A version before writes bars, corrections and actions, and leaves the row beside them as it was. Every read of a version
looks at what such a write moves, in the same query; each look is at one end of an index, or at a few rows.
What only a count can tell, a session that was put between others, is counted at each start and after each loading.
"""

from datetime import datetime

from django.db.models import Count, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from market.models import Bar, BarRevision, CorporateAction

KEPT = ("first_held", "last_held", "corrections", "acted_at")
SEEN = tuple(f"seen_{name}" for name in KEPT)
Signs = tuple[datetime | None, datetime | None, int, datetime | None]
NOTHING: Signs = (None, None, 0, None)


def seen(rows: QuerySet, symbol: str, interval: object) -> QuerySet:
    """`rows` with what the tables say now, as SEEN. symbol: their column; interval: a value or a reference to one."""
    ours = {"symbol_id": OuterRef(symbol), "interval": interval}
    openings = Bar.objects.filter(**ours).values("opened_at")
    corrections = BarRevision.objects.filter(**ours).order_by().values("interval").annotate(many=Count("pk"))
    actions = CorporateAction.objects.filter(symbol_id=OuterRef(symbol)).order_by().values("symbol_id")
    return rows.annotate(
        seen_first_held=Subquery(openings.order_by("opened_at")[:1]),
        seen_last_held=Subquery(openings.order_by("-opened_at")[:1]),
        seen_corrections=Coalesce(Subquery(corrections.values("many")), 0),
        seen_acted_at=Subquery(actions.annotate(newest=Max("received_at")).values("newest")),
    )


def of_rows(rows: QuerySet) -> QuerySet:
    """Of the rows of coverage themselves."""
    return seen(rows, "symbol_id", OuterRef("interval")).annotate(symbol_pk=F("symbol_id"))
