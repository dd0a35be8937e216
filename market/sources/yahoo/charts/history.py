"""A chart's rows as bars, as traded and in the symbol's currency, and its splits and payments. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from market import intervals, prices
from market.intervals import DAY
from market.prices import FINAL, FORMING, SETTLING, Action, Bar, Named
from market.sources.yahoo.charts import candles, days, precision, units
from market.sources.yahoo.charts.candles import Row
from market.sources.yahoo.charts.days import Days
from market.sources.yahoo.charts.events import ALL_KNOWN, NOTHING, Events, Held, Split, cash, restating, told
from market.sources.yahoo.charts.listed import Symbol

SOURCE = "yahoo"
# Weeks and months have no as-traded prices across a split; they are made from days.
GIVEN = ("1d", "1m", "5m", "15m", "30m", "1h")


@dataclass(frozen=True, slots=True)
class History:
    """What an answer says. left_out: what of it is misshapen, a few words each.

    told: what people should hear of it, each with its kind: `splits`, `corrections` or `calendar`.
    """

    bars: list[Bar]
    actions: Named
    left_out: list[str]
    told: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Chart:
    """A chart with what must be known to read its rows: each with its session, and whether it has settled."""

    symbol: Symbol
    days: Days
    rows: list[tuple[Row, date, bool]]
    events: Events
    unit: Fraction
    parts: int  # how many units of the prices are one of the currency


def read(chart: dict, *, symbol: Symbol, interval: str, now: datetime, held: Held = NOTHING) -> History:
    """The chart's candles as traded, oldest first, one a session or instant, its splits, dividends and capital gains.

    A candle whose shares nobody can count, because of a split that can't be read, is left out, and so are runs that
    would change what is held by one ratio. Raises Misshapen.
    """
    known = _known(chart, symbol, held)
    found, words = list(_bars(known, interval, now)), _words(known)
    if interval == DAY.name:
        found, contested = restating.uncontested(found, known.events, held)
        words += [("corrections", why) for why in contested]
    return History(found, _actions(known, held), candles.left_out(chart) + known.events.left_out, words)


def settled_rows(chart: dict, known: Days) -> Iterator[tuple[Row, date, bool]]:
    """Each complete row with its session, and whether the source has settled it.

    It has where the row is no longer the last, or is stamped with its opening: as the one before it is, or by the
    hours of the session.
    """
    usual = None
    for row in candles.rows(chart):
        session = known.of_row(row.at, is_last=row.is_last)
        is_opening = row.at.time() == usual or known.is_opening(row.at, session)
        yield row, session, not row.is_last or is_opening
        usual = row.at.time()


def judged(
    chart: dict, known: Days, rows: list[tuple[Row, date, bool]], unit: Fraction, held: Held = NOTHING
) -> Events:
    """The splits and payments, and which splits the answer has not restated by. Raises Misshapen."""
    by_session = [(session, row) for row, session, _ in rows]
    return restating.judged(told.read(chart, known), by_session, held, unit)


def _known(chart: dict, symbol: Symbol, held: Held) -> _Chart:
    known, currency = days.of_chart(chart, symbol), chart["meta"].get("currency")
    rows, unit = list(settled_rows(chart, known)), units.factor(currency, symbol.currency)
    return _Chart(symbol, known, rows, judged(chart, known, rows, unit, held), unit, units.parts(currency))


def _bars(chart: _Chart, interval: str, now: datetime) -> list[Bar]:
    asked, found = intervals.named(interval), {}
    for row, session, is_settled in chart.rows:
        if session < chart.events.known_from:
            continue
        if asked.is_whole:
            opened_at, state = prices.midnight(session), chart.days.state(session, now, is_settled=is_settled)
        else:
            opened_at = row.at.astimezone(UTC)
            state = FINAL if now >= opened_at + timedelta(seconds=asked.seconds) + SETTLING else FORMING
        opened, high, low, close = _traded(row, chart.events.later(session), chart.unit, chart.symbol.price_decimals)
        volume = None if row.volume is None else round(row.volume / chart.events.shares(session))
        # Yahoo repeats the running session's row with newer numbers: the later one counts.
        found[opened_at] = Bar(
            ticker=chart.symbol.ticker,
            interval=interval,
            opened_at=opened_at,
            session_date=session,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume if prices.is_volume(volume) else None,
            is_final=state == FINAL,
            state=state,
            source=SOURCE,
            received_at=now,
        )
    return [found[opened_at] for opened_at in sorted(found)]


def _actions(chart: _Chart, held: Held) -> Named:
    events, ticker = chart.events, chart.symbol.ticker
    found = [_split(ticker, each) for each in events.splits]
    whole = events.whole if events.known_from == ALL_KNOWN else frozenset()  # a dividend before it is left out too
    by_session = [(session, row) for row, session, _ in chart.rows]
    for each in cash.payments(events, by_session, chart.parts, held.usual):
        if each.ex_date >= events.known_from:
            paid = each.amount * events.later(each.ex_date) * chart.unit.numerator / chart.unit.denominator
            found.append(Action(ticker, each.kind, each.ex_date, round(paid, 6), disputed=each.disputed))
    return Named(sorted(found, key=lambda action: (action.ex_date, action.kind)), whole)


def _words(chart: _Chart) -> list[tuple[str, str]]:
    """Which splits are not in the prices yet, and where the source trades otherwise than the exchange's calendar says:
    it is right, our table of facts lacks it.
    """
    unrestated = [
        ("splits", f"{split.numerator:g}:{split.denominator:g} of {split.ex_date} is named, and the prices before it "
         "are not restated: they stay what they were")
        for split in sorted(chart.events.unrestated)
    ]  # fmt: skip
    strange = sorted({session for _, session, _ in chart.rows if chart.days.is_none(session)})
    traded = [f"it traded on {session}, no session of the calendar" for session in strange]
    return unrestated + [("calendar", why) for why in traded + chart.days.other_hours()]


def _split(ticker: str, said: Split) -> Action:
    kind = "spin_off" if said.is_spin_off else "split"
    why = f"nobody splits by {said.numerator:g}:{said.denominator:g}; a spin-off?" if said.is_spin_off else None
    return Action(ticker, kind, said.ex_date, said.value, said.numerator, said.denominator, disputed=why)


def _traded(row: Row, shares: float, unit: Fraction, decimals: int) -> tuple[float, ...]:
    """The four prices in the shares of then and in the symbol's currency, rounded once."""
    told_prices = (row.open, row.high, row.low, row.close)
    return tuple(precision.traded(price, shares, unit, decimals) for price in told_prices)
