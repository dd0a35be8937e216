"""ETags of what is told of bars: known without reading them, so that an answer which a client has costs two reads.

Equal tags are equal answers, also after a backup was restored: a version is never given twice, and an answer has the
tag of the version that its bars had before and after they were read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from market import actions, bars, coverage, intervals
from market.bars import forming, resampling
from market.calendars import clock
from market.coverage import told as covered
from market.coverage.told import Held
from monitoring import redis

FORMAT = 4  # raise it where the same bars are told in another way


_ALL = bars.Bounds()


@dataclass(frozen=True, slots=True)
class Standing:
    """What an answer of bars stands upon, read before them: their versions, the forming one and the market's clock.

    held: what we hold of them. packed: the forming bar as it is kept.
    """

    ticker: str
    held: Held
    basis: bars.Basis
    packed: bytes | None
    clock: dict[str, str]

    def tag(
        self,
        request: Request,
        versions: coverage.Versions | None,
        *,
        bounds: bars.Bounds = _ALL,
        made: Sequence[object] = (),
    ) -> str | None:
        """The tag of an answer that is made of bars within bounds; None of bars whose versions are not known.

        made: what else is told, where that is not in the address.
        """
        return self.named(request.build_absolute_uri(), request.accepted_renderer.format, versions, bounds, made)

    def named(
        self,
        address: str,
        form: str,
        versions: coverage.Versions | None,
        bounds: bars.Bounds = _ALL,
        made: Sequence[object] = (),
    ) -> str | None:
        """The same of the answer at an address in one of our forms, as renderers name them."""
        if versions is None:
            return None
        live = self.basis.live
        counted = self.packed if live is not None and bounds.hold(live) else None
        asked = address, form, list(made)
        # The ticker too: what has no bars has no version that a rename would change.
        judged = self.basis.known, self.basis.today
        parts = FORMAT, *asked, self.ticker, versions, sorted(self.clock.items()), counted, *judged
        return f'"{blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


def standings(tickers: Sequence[str], query: dict[str, Any]) -> dict[str, Standing]:
    """What an answer of each of some tickers stands upon now: a query, and a read of Redis, of all of them.

    query: with its `interval`, and `adjusted`. With a moment `as_known_at` nothing forms: what did so then nobody
    keeps.
    """
    if not tickers:
        return {}
    interval, known_at = intervals.named(query["interval"]), query.get("as_known_at")
    with redis.client().pipeline(transaction=False) as pipe:
        clock.ask(pipe)
        forming.ask(pipe, tickers, interval.stored_as)
        told, packed = pipe.execute()
    now, held = clock.read(told), covered.held(tickers, interval.name)
    _, *others = actions.intervals_read(interval.name, query["adjusted"])
    more = coverage.of(tickers, others) if others else {}
    known = resampling.known(held) if interval.made_from else {}
    found = {}
    for ticker, each in zip(tickers, packed, strict=True):
        live = None if known_at else forming.read(each)
        versions = held[ticker].version, *more.get(ticker, ())
        today = resampling.today(known_at, now, held[ticker], live) if interval.made_from else None
        basis = bars.Basis(versions, live, known.get(ticker, resampling.UNKNOWN), today)
        found[ticker] = Standing(ticker, held[ticker], basis, each, now)
    return found


def standing(ticker: str, query: dict[str, Any]) -> Standing:
    """The same of one."""
    return standings([ticker], query)[ticker]


def of_many(request: Request, tags: Sequence[str | None], made: Sequence[object] = ()) -> str | None:
    """The tag of an answer that is made of several; None where one of them has none."""
    if None in tags:
        return None
    asked = request.build_absolute_uri(), request.accepted_renderer.format
    return f'"{blake2b(repr((FORMAT, asked, list(tags), list(made))).encode(), digest_size=16).hexdigest()}"'


def unchanged(request: Request | HttpRequest, tag: str) -> HttpResponse | None:
    """The 304 for a client that has this answer already; None for any other."""
    whole = HttpResponse(headers={"ETag": tag})
    answer = get_conditional_response(request, etag=tag, response=whole)
    return None if answer is whole else answer


def head(tag: str | None) -> dict[str, str]:
    """The header of an answer; none where it has no tag."""
    return {} if tag is None else {"ETag": tag}
