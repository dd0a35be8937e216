"""A price that is far off waits for a second one. Until that comes nobody is told of it, and nothing moves by it.

Such a price is published as little as it rings: who reads it on a page acts on it too, and where it is real the next
one follows within seconds. So this stands in the one door of quotes; bars, records, indicators and rules need not ask.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from market import prices
from market.prices import Quote
from market.quotes.snapshots import FORMAT
from monitoring import redis, refusals

# Between two prices one after the other; real ones of whatever kind seldom are so far apart, and lose some seconds.
LARGEST_JUMP = 4.0
KIND = "unconfirmed"
_ranges: dict[str, tuple[date, dict[str, float]]] = {}  # those that were counted last


def sifted(quotes: Sequence[Quote]) -> list[Quote]:
    """Those whose price is none to doubt, with a range that is none; the others are counted, and wait in Redis.

    quotes: in order of arrival. A doubted price is confirmed by a later one that stands near to it.
    """
    tickers = list(dict.fromkeys(quote.ticker for quote in quotes))
    held, doubted = _known(tickers)
    before, kept = dict(doubted), []
    for quote in quotes:
        known, doubt = held.get(quote.ticker), doubted.pop(quote.ticker, None)
        if is_far(quote, known) and not (doubt and confirms(quote, doubt)):
            if not (doubt and _tells(quote, doubt)):  # what tells it again is no second, and counts no more
                doubt = quote
                refusals.note(KIND, quote.ticker, _why(quote, known), repr(quote))
            doubted[quote.ticker] = doubt
            continue
        held[quote.ticker] = plausible(quote, known)
        if held[quote.ticker] is not quote:
            _count_range(quote, held[quote.ticker])
        kept.append(held[quote.ticker])
    _remember(before, doubted)
    return kept


def is_far(quote: Quote, held: Quote | None) -> bool:
    """Whether a price stands far from all that is known: the price before it, and the close that it is counted from."""
    known = _present([held and held.price, quote.previous_close])
    return all(_are_far(quote.price, each) for each in known) if known else False


def confirms(quote: Quote, doubted: Quote) -> bool:
    """Whether a price is a later one than the doubted, and near to it."""
    is_dated = quote.as_of_precision == doubted.as_of_precision == prices.DAY
    is_later = quote.as_of > doubted.as_of or (is_dated and quote.received_at > doubted.received_at)
    return is_later and not _are_far(quote.price, doubted.price)


def plausible(quote: Quote, held: Quote | None) -> Quote:
    """The quote without a range or an open that is far from every price: a source's go on holding a bad one."""
    if not any(_are_far(each, quote.price) for each in (quote.open, quote.high, quote.low) if each is not None):
        return quote
    same = held if held and held.session_date == quote.session_date else None
    ours = [same.high, same.low, same.open] if same else []
    known = _present([quote.price, quote.previous_close, held and held.price, *ours])
    far = {
        name
        for name in ("open", "high", "low")
        if (value := getattr(quote, name)) is not None and all(_are_far(value, each) for each in known)
    }
    if not far:
        return quote
    opened = (same and same.open) if "open" in far else quote.open
    seen = _present([quote.price, opened])
    found: dict[str, float | None] = {"open": opened}
    found["high"] = max(seen + _present([same and same.high])) if "high" in far else quote.high
    found["low"] = min(seen + _present([same and same.low])) if "low" in far else quote.low
    return replace(quote, **found)


def _count_range(told: Quote, kept: Quote) -> None:
    """Count a range once, however long a source goes on telling it."""
    values = {name: getattr(told, name) for name in ("open", "high", "low")}
    bad = {name: value for name, value in values.items() if value != getattr(kept, name)}
    if _ranges.get(told.ticker) != (told.session_date, bad):
        _ranges[told.ticker] = told.session_date, bad
        named = " and ".join(f"{name} {value}" for name, value in bad.items())
        refusals.note(KIND, told.ticker, f"a range with {named} is far from every price of the session", repr(told))


def _known(tickers: Sequence[str]) -> tuple[dict[str, Quote], dict[str, Quote]]:
    """The newest quote of each ticker, and the one that waits for a second."""
    with redis.client().pipeline(transaction=False) as pipe:
        pipe.hmget(FORMAT.key("quotes"), tickers).hmget(_key(), tickers)
        newest, doubted = pipe.execute()
    texts = [text and text.partition(b" ")[2] for text in newest]
    return _read(tickers, texts), _read(tickers, doubted)


def _read(tickers: Sequence[str], texts: Sequence[bytes | None]) -> dict[str, Quote]:
    found = {ticker: FORMAT.unpack(text) for ticker, text in zip(tickers, texts, strict=True)}
    return {ticker: quote for ticker, quote in found.items() if quote is not None}


def _remember(before: dict[str, Quote], doubted: dict[str, Quote]) -> None:
    changed = {ticker: FORMAT.pack(quote) for ticker, quote in doubted.items() if before.get(ticker) != quote}
    gone = before.keys() - doubted.keys()
    if not changed and not gone:
        return
    with redis.client().pipeline(transaction=False) as pipe:
        if changed:
            pipe.hset(_key(), mapping=changed)
        if gone:
            pipe.hdel(_key(), *gone)
        pipe.execute()


def _tells(quote: Quote, doubted: Quote) -> bool:
    """Whether a price is the doubted one again."""
    return (quote.as_of, quote.price) == (doubted.as_of, doubted.price)


def _are_far(price: float, other: float) -> bool:
    """What is not above zero has no ratio; there nobody can tell."""
    return price > 0 < other and not 1 / LARGEST_JUMP <= price / other <= LARGEST_JUMP


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _why(quote: Quote, held: Quote | None) -> str:
    last = f"after {held.price}" if held else f"after a close of {quote.previous_close}"
    return f"a price of {quote.price} {last} waits for a second that confirms it"


def _key() -> str:
    return FORMAT.key("quotes", "doubted")
