"""ETags of what is told of bars: known without reading them, so that an answer which a client has costs two reads.

Equal tags are equal answers, also after a backup was restored: a version is never given twice.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from market import coverage
from market.actions.adjustments import DIVIDENDS
from market.bars import forming
from market.calendars import clock
from market.intervals import DAY
from monitoring import redis

FORMAT = 1  # raise it where the same bars are told in another way


def of_bars(
    request: Request, ticker: str, query: dict[str, Any], *, end: datetime | None = None, made: Sequence[str] = ()
) -> str:
    """Of an answer that is made of a ticker's bars up to `end`. Ask before the bars are read, never after.

    query: with its `interval`, and `adjusted`. made: what is made of the bars, where that is not in the address.
    """
    counted = {query["interval"], *([DAY.name] if query["adjusted"] == DIVIDENDS else [])}  # its factors need closes
    versions = [coverage.latest([ticker], interval=name).get(ticker) for name in sorted(counted)]
    told, live = _now(ticker, query["interval"], end)
    asked = request.build_absolute_uri(), request.accepted_renderer.format, list(made)
    # The ticker too: what has no bars has no version that a rename would change.
    parts = FORMAT, *asked, ticker, versions, sorted(told.items()), live
    return f'"{blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


def unchanged(request: Request, tag: str) -> HttpResponse | None:
    """The 304 for a client that has this answer already; None for any other."""
    whole = HttpResponse(headers={"ETag": tag})
    answer = get_conditional_response(request, etag=tag, response=whole)
    return None if answer is whole else answer


def _now(ticker: str, interval: str, end: datetime | None) -> tuple[dict[str, str], bytes | None]:
    """The market's clock, and the forming bar where it counts."""
    with redis.client().pipeline(transaction=False) as pipe:
        clock.ask(pipe)
        forming.ask(pipe, ticker, interval)
        told, packed = pipe.execute()
    live = forming.read(packed)
    is_counted = live is not None and (end is None or live.opened_at <= end)
    return clock.read(told), packed if is_counted else None
