"""A price that is far off waits for a second one. Until that comes nobody is told of it, and nothing moves by it.

Such a price is published as little as it rings: who reads it on a page acts on it too, and where it is real the next
one follows within seconds. So this stands in the one door of quotes; bars, records, indicators and rules need not ask.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from market import prices
from market.prices import Quote
from market.quotes.snapshots import FORMAT
from monitoring import redis, refusals
from monitoring.fields import Field

# Between two prices one after the other; real ones of whatever kind seldom are so far apart, and lose some seconds.
LARGEST_JUMP = 4.0
KIND = "unconfirmed"
Doubted = dict[str, Quote | None]
_ranges: dict[str, tuple[date, dict[str, float]]] = {}  # those that were counted last


def sifted(quotes: Sequence[Quote]) -> tuple[list[Quote], Doubted]:
    """Those whose price is none to doubt, with a range that is none; the others are counted. And what is to be
    remembered once those are kept: of each ticker where that changes the quote that waits, None where none does.

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
    changed = {ticker: doubted.get(ticker) for ticker in before | doubted}
    return kept, {ticker: quote for ticker, quote in changed.items() if before.get(ticker) != quote}


def remember(doubted: Doubted) -> None:
    """Have those wait in Redis that are doubted now. Safe to run again."""
    with redis.client().pipeline(transaction=False) as pipe:
        for ticker, quote in doubted.items():
            if quote is None:
                pipe.hdel(_key(), ticker)
            else:
                pipe.hset(_key(), ticker, FORMAT.pack(quote))
        pipe.execute()


def field(ticker: str) -> Field:
    """Where the price of a ticker waits that is doubted."""
    return Field(_key(), ticker)


def is_far(quote: Quote, held: Quote | None) -> bool:
    """Whether a price stands far from all that is known: the price before it, and the close that it is counted from."""
    known = _present([held and held.price, quote.previous_close])
    return all(are_far(quote.price, each) for each in known) if known else False


def confirms(quote: Quote, doubted: Quote) -> bool:
    """Whether a price is a later one than the doubted, and near to it."""
    is_dated = quote.as_of_precision == doubted.as_of_precision == prices.DAY
    is_later = quote.as_of > doubted.as_of or (is_dated and quote.received_at > doubted.received_at)
    return is_later and not are_far(quote.price, doubted.price)


def plausible(quote: Quote, held: Quote | None) -> Quote:
    """The quote without a range or an open that is far from every price: a source's go on holding a bad one."""
    if not any(are_far(each, quote.price) for each in (quote.open, quote.high, quote.low) if each is not None):
        return quote
    same = held if held and held.session_date == quote.session_date else None
    ours = [same.high, same.low, same.open] if same else []
    known = _present([quote.price, quote.previous_close, held and held.price, *ours])
    far = {
        name
        for name in ("open", "high", "low")
        if (value := getattr(quote, name)) is not None and all(are_far(value, each) for each in known)
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
    """The newest quote of each ticker, and the one that waits for a second: of few symbols one does."""
    with redis.client().pipeline(transaction=False) as pipe:
        pipe.hmget(FORMAT.key("quotes"), tickers).hgetall(_key())
        newest, doubted = pipe.execute()
    texts = {ticker: text.partition(b" ")[2] for ticker, text in zip(tickers, newest, strict=True) if text}
    waiting = {name.decode(): text for name, text in doubted.items()}
    return _read(texts), _read({ticker: waiting[ticker] for ticker in tickers if ticker in waiting})


def _read(texts: Mapping[str, bytes]) -> dict[str, Quote]:
    found = {ticker: FORMAT.unpack(text) for ticker, text in texts.items()}
    return {ticker: quote for ticker, quote in found.items() if quote is not None}


def _tells(quote: Quote, doubted: Quote) -> bool:
    """Whether a price is the doubted one again."""
    return (quote.as_of, quote.price) == (doubted.as_of, doubted.price)


def are_far(price: float, other: float) -> bool:
    """What is not above zero has no ratio: of it only the size is compared, and what comes near to zero is not far."""
    if price > 0 < other:
        return not 1 / LARGEST_JUMP <= price / other <= LARGEST_JUMP
    return abs(price) > LARGEST_JUMP * abs(other)


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _why(quote: Quote, held: Quote | None) -> str:
    last = f"after {held.price}" if held else f"after a close of {quote.previous_close}"
    return f"a price of {quote.price} {last} waits for a second that confirms it"


def _key() -> str:
    return FORMAT.key("quotes", "doubted")
