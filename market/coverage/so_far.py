"""Which of the bars that we hold have come, where a recording plays: those before the session that runs."""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Max, Min

from market.models import Bar


class Ends(NamedTuple):
    """How many there are, and the openings of the first and the last."""

    count: int
    first: datetime | None
    last: datetime | None


NO_ENDS = Ends(0, None, None)


def counted(tickers: Collection[str], session: date | str) -> dict[tuple[str, str], Ends]:
    """By ticker and interval, of those that have any."""
    past = Bar.objects.filter(symbol__ticker__in=tickers, session_date__lt=session).order_by()
    found = past.values_list("symbol__ticker", "interval").annotate(
        Count("opened_at"), Min("opened_at"), Max("opened_at")
    )
    return {(ticker, interval): Ends(*ends) for ticker, interval, *ends in found}
