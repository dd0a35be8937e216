"""Which prices of a symbol must be seen, where many wait. Pure.

Bars and indicators move by the newest price of a session and by its close. A rule rings on a crossing, once a session,
so it must see enough of the way: the first price of a session, each close, and between them every price without which
a level would no longer be crossed, upwards or downwards. That are the turning points, but for those that go again over
a way that was gone in both directions.
"""

from collections.abc import Sequence

from market.prices import Quote


def is_needed(waiting: Sequence[Quote], following: Quote) -> bool:
    """Whether the last that waits of a symbol must still be seen, now that another follows it.

    waiting: those that must be seen, in order of arrival.
    """
    *before, last = waiting
    way = _way_to(last, before)
    if not way or not _is_of_one_way(last, following):
        return True
    return not (_is_between(last.price, way[-1], following.price) or _is_gone_over(last.price, way))


def least(waiting: Sequence[Quote]) -> int | None:
    """Of too many that wait the place of the one whose loss says least; None where all are firsts, lasts or closes."""
    inner = [
        place
        for place in range(1, len(waiting) - 1)
        if _is_of_one_way(waiting[place - 1], waiting[place]) and _is_of_one_way(waiting[place], waiting[place + 1])
    ]
    return min(inner, key=lambda place: _swing(waiting, place), default=None)


def rounds(quotes: Sequence[Quote]) -> list[list[int]]:
    """The places of quotes in rounds, one after the other: in each the prices of a symbol are of one session that
    forms, or one close. So a symbol's bars and indicators move once a round, by its last price there.
    """
    found: list[list[int]] = []
    reached: dict[str, tuple[int, Quote]] = {}
    for place, quote in enumerate(quotes):
        number, before = reached.get(quote.ticker, (0, quote))
        number += before is not quote and not _is_of_one_session(before, quote)
        reached[quote.ticker] = number, quote
        if number == len(found):
            found.append([])
        found[number].append(place)
    return found


def _is_of_one_session(quote: Quote, following: Quote) -> bool:
    return quote.session_date == following.session_date and not quote.has_closed and not following.has_closed


def _way_to(last: Quote, before: Sequence[Quote]) -> list[float]:
    """The prices before a quote between which nothing counts but the price."""
    way, after = [], last
    for quote in reversed(before):
        if not _is_of_one_way(quote, after):
            break
        way.append(quote.price)
        after = quote
    return way[::-1]


def _is_of_one_way(quote: Quote, following: Quote) -> bool:
    return _is_of_one_session(quote, following) and quote.previous_close == following.previous_close


def _is_between(price: float, first: float, last: float) -> bool:
    return min(first, last) <= price <= max(first, last)


def _is_gone_over(price: float, way: Sequence[float]) -> bool:
    """Whether each level up to here from the lowest, and down to here from the highest, was crossed before so."""
    low, high = way.index(min(way)), way.index(max(way))
    return max(way[low:]) >= price >= min(way[high:])


def _swing(waiting: Sequence[Quote], place: int) -> float:
    price = waiting[place].price
    return min(abs(price - waiting[place - 1].price), abs(price - waiting[place + 1].price))
