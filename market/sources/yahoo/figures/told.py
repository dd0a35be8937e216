"""The key figures that an entry of Yahoo's quote list names, each in a unit that its other numbers agree with. Pure.

Yahoo does not say its units. A share that trades in pence has its earnings in pounds, in some answers in pence; a yield
is in percent, and was a fraction; what is paid may be in the currency of the company's reports, over a price in another
(its `trailingAnnualDividendYield` of Alibaba: yuan over dollars). So a number is taken where another one of the same
answer says the same in that unit, and is unclear where it does not.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from market import prices
from market.figures.values import NO_DIVIDEND, NO_EARNINGS, NOT_TOLD, PAST, UNCLEAR, Figures, of_kind
from market.sources.yahoo import fields
from market.sources.yahoo.charts import SOURCE, identity, units
from market.sources.yahoo.charts.listed import Symbol
from market.sources.yahoo.fields import Mismatch, Misshapen, moment, part

Found = dict[str, float | date | bool] | str  # the values of a figure, or why it is missing
_LARGEST_CAP, _LARGEST_RATIO = 1e18, 1e7
_MOST_PERCENT = 1000
_ROUNDED = 1.5  # numbers that shall say the same are apart by less than so many times
_GROWN = 5.0  # what is paid a year, from one year to the next
_HUNDREDTH = 0.0051  # percent points: a yield is told to two decimals
_LONGEST_AHEAD = timedelta(days=2 * 366)


def figures(entry: dict, *, symbol: Symbol, now: datetime) -> Figures:
    """What an entry names of a symbol, but for its ex-date. Raises Misshapen, or Mismatch where it is of another kind
    or currency.
    """
    zone = fields.zone(entry)
    _require(entry, symbol)
    as_of, price = moment(entry.get("regularMarketTime"), zone), fields.price(entry, "regularMarketPrice")
    if as_of is None or prices.is_ahead(as_of, now):
        raise Misshapen(f"the time of its price is {entry.get('regularMarketTime')!r}"[:80])
    if price is None:
        raise Misshapen(f"its price is {entry.get('regularMarketPrice')!r}"[:80])
    parts = units.parts(entry.get("currency"))
    price /= parts
    found: dict[str, Found] = {
        "market_cap": _market_cap(entry, price, parts),
        **_earnings(entry, price, parts),
        "dividend_yield_percent": _yield(entry, price, parts),
        "earnings_date": _earnings_date(entry, zone, now),
        "ex_dividend_date": NOT_TOLD if pays(entry) else NO_DIVIDEND,
    }
    return _figures(entry, symbol, found, as_of, now)


def pays(entry: dict) -> bool:
    """Whether dividends are told, so that there is an ex-date to ask for."""
    told = ("dividendRate", "dividendYield", "trailingAnnualDividendRate", "trailingAnnualDividendYield")
    return any(_positive(entry, name) for name in told)


def ex_date(answer: dict, *, symbol: Symbol, now: datetime) -> date | None:
    """The ex-date of a summary; None where it names none. Raises Mismatch, or Misshapen.

    Yahoo writes a date as its midnight in UTC.
    """
    named = part(answer, "quoteType").get("symbol")
    if named != symbol.ticker:
        raise Mismatch(f"it is about {str(named)[:40]!r}")
    told = part(answer, "calendarEvents").get("exDividendDate")
    stamp = told.get("raw") if isinstance(told, dict) else told
    if stamp is None:
        return None
    at = moment(stamp, ZoneInfo("UTC"))
    if at is None or at > now + _LONGEST_AHEAD:
        raise Misshapen(f"its ex-date is {stamp!r}"[:80])
    return at.date()


def _require(entry: dict, symbol: Symbol) -> None:
    kind = identity.KINDS.get(entry.get("quoteType"))
    if kind != symbol.asset_type:
        raise Mismatch(f"it is of a {str(entry.get('quoteType'))[:40]!r}, and ours is of kind {symbol.asset_type!r}")
    if not isinstance(entry.get("currency"), str):
        raise Misshapen(f"its currency is {entry.get('currency')!r}"[:80])
    units.factor(entry["currency"], symbol.currency)


def _figures(entry: dict, symbol: Symbol, found: Mapping[str, Found], as_of: datetime, now: datetime) -> Figures:
    asked = {name: found[name] for name in of_kind(symbol.asset_type)}
    reporting = entry.get("financialCurrency")
    return Figures(
        ticker=symbol.ticker,
        currency=units.main(symbol.currency),
        reporting_currency=units.main(reporting)[:8] if isinstance(reporting, str) and reporting else None,
        as_of=as_of.astimezone(UTC),
        received_at=now,
        source=SOURCE,
        values={key: value for told in asked.values() if isinstance(told, dict) for key, value in told.items()},
        missing={name: told for name, told in asked.items() if isinstance(told, str)},
    )


def _market_cap(entry: dict, price: float, parts: int) -> Found:
    told, shares = _positive(entry, "marketCap"), _positive(entry, "sharesOutstanding")
    if told is None or told > _LARGEST_CAP:
        return NOT_TOLD if told is None else UNCLEAR
    if parts == 1:
        return {"market_cap": float(told)}
    if shares is None:
        return UNCLEAR
    # Shares of other classes may count too: several times as much, and never a hundred times.
    times = told / (shares * price)
    if parts**-0.5 < times < parts**0.5:
        return {"market_cap": float(told)}
    return {"market_cap": told / parts} if parts**0.5 < times < parts**1.5 else UNCLEAR


def _earnings(entry: dict, price: float, parts: int) -> dict[str, Found]:
    """The earnings of a share, and the price over them, which must be one fact told twice."""
    told, ratio = _number(entry, "epsTrailingTwelveMonths"), _positive(entry, "trailingPE")
    if told is None or told == 0:
        lone = NOT_TOLD if ratio is None else ({"price_earnings": float(ratio)} if parts == 1 else UNCLEAR)
        return {"earnings_per_share": NOT_TOLD, "price_earnings": lone}
    if ratio is None or told < 0:
        reports_alike = parts == 1 and entry.get("financialCurrency") in (None, entry.get("currency"))
        alone = {"earnings_per_share": float(told)} if reports_alike else UNCLEAR
        without = NOT_TOLD if told > 0 else (NO_EARNINGS if ratio is None else UNCLEAR)
        return {"earnings_per_share": alone, "price_earnings": without}
    if ratio > _LARGEST_RATIO or not _is_near(told * ratio, price, _ROUNDED):
        return {"earnings_per_share": UNCLEAR, "price_earnings": UNCLEAR}
    return {
        "earnings_per_share": {"earnings_per_share": float(told)},
        "price_earnings": {"price_earnings": float(ratio)},
    }


def _yield(entry: dict, price: float, parts: int) -> Found:
    told, rate = _number(entry, "dividendYield"), _positive(entry, "dividendRate")
    past = _number(entry, "trailingAnnualDividendYield")
    if told is None:
        return {"dividend_yield_percent": 0.0} if past == 0 and rate is None else NOT_TOLD
    if not 0 <= told <= _MOST_PERCENT:
        return UNCLEAR
    expected, near = (rate / price * 100, _ROUNDED) if rate else ((past or 0) * 100, _GROWN)
    if told == 0 or expected <= 0 or _is_near(told, expected, near) or abs(told - expected) < _HUNDREDTH:
        return {"dividend_yield_percent": float(told)}
    is_fraction = parts == 1 and _is_near(told * 100, expected, near)  # of pence it may be the rate that is
    return {"dividend_yield_percent": told * 100} if is_fraction else UNCLEAR


def _earnings_date(entry: dict, zone: ZoneInfo, now: datetime) -> Found:
    """The next one, by the exchange's own days. `earningsTimestamp` alone may be that of the last report."""
    first = moment(entry.get("earningsTimestampStart") or entry.get("earningsTimestamp"), zone)
    if first is None:
        return NOT_TOLD
    last = max(first, moment(entry.get("earningsTimestampEnd"), zone) or first)
    if last > now + _LONGEST_AHEAD:
        return UNCLEAR
    if last.date() < now.astimezone(zone).date():
        return PAST
    found = {"earnings_date": first.date()}
    if last.date() > first.date():
        found["earnings_date_to"] = last.date()
    if isinstance(estimated := entry.get("isEarningsDateEstimate"), bool):
        found["is_earnings_date_estimated"] = estimated
    return found


def _number(entry: dict, name: str) -> float | None:
    value = entry.get(name)
    return value if prices.is_number(value) and abs(value) < 1e300 else None


def _positive(entry: dict, name: str) -> float | None:
    """Where none is known Yahoo writes 0."""
    value = _number(entry, name)
    return value if value is not None and value > 0 else None


def _is_near(one: float, other: float, times: float) -> bool:
    return other / times < one < other * times
