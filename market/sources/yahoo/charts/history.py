"""A chart's rows as bars: as traded, in the symbol's currency, each with what is known of it. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from market import intervals, prices
from market.prices import FINAL, FORMING, SETTLING, Action, Bar, Named
from market.sources.yahoo.charts import candles, cash, days, events, units
from market.sources.yahoo.charts.candles import Row
from market.sources.yahoo.charts.days import Days
from market.sources.yahoo.charts.listed import Symbol

SOURCE = "yahoo"
# Weeks and months have no as-traded prices across a split; they are made from days.
GIVEN = ("1d", "1m", "5m", "15m", "30m", "1h")


def bars(chart: dict, *, symbol: Symbol, interval: str, now: datetime) -> list[Bar]:
    """The chart's candles as traded, oldest first, one a session or instant.

    A candle whose shares nobody can count, because of a split that can't be read, is left out. Raises Misshapen.
    """
    asked, known = intervals.named(interval), days.of_chart(chart, symbol)
    told, unit = events.read(chart, known), units.factor(chart["meta"].get("currency"), symbol.currency)
    found = {}
    for row, session, is_settled in settled_rows(chart, known):
        if session < told.known_from:
            continue
        opened_at = prices.midnight(session) if asked.is_whole else row.at.astimezone(UTC)
        ends = opened_at + timedelta(seconds=asked.seconds)
        state = (
            known.state(session, now, is_settled=is_settled)
            if asked.is_whole
            else FINAL if now >= ends + SETTLING else FORMING
        )  # fmt: skip
        shares = told.later(session)
        opened, high, low, close = _traded(row, shares, unit, symbol.price_decimals)
        volume = None if row.volume is None else round(row.volume / shares)
        # Yahoo repeats the running session's row with newer numbers: the later one counts.
        found[opened_at] = Bar(
            ticker=symbol.ticker,
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


def actions(chart: dict, *, symbol: Symbol) -> Named:
    """The chart's splits, dividends and capital gains, oldest first. Raises Misshapen."""
    known = days.of_chart(chart, symbol)
    told, unit = events.read(chart, known), units.factor(chart["meta"].get("currency"), symbol.currency)
    found = [Action(symbol.ticker, "split", each.ex_date, each.value, *each[1:]) for each in told.splits]
    whole = told.whole if told.known_from == events.ALL_KNOWN else frozenset()  # a dividend before it is left out too
    rows = [(session, row) for row, session, _ in settled_rows(chart, known)]
    for each in cash.payments(told, rows, units.parts(chart["meta"].get("currency"))):
        if each.ex_date >= told.known_from:
            paid = each.amount * told.later(each.ex_date) * unit.numerator / unit.denominator
            found.append(Action(symbol.ticker, each.kind, each.ex_date, round(paid, 6), disputed=each.disputed))
    return Named(sorted(found, key=lambda action: (action.ex_date, action.kind)), whole)


def settled_rows(chart: dict, known: Days) -> Iterator[tuple[Row, datetime, bool]]:
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


def _traded(row: Row, shares: float, unit: Fraction, decimals: int) -> tuple[float, ...]:
    """The four prices in the shares of then and in the symbol's currency, rounded once to its decimals."""
    told = (row.open, row.high, row.low, row.close)
    in_currency = (price * unit.numerator / unit.denominator * shares for price in told)
    # Half a cent goes to the same side whatever splits it went through.
    return tuple(round(round(price, decimals + 2), decimals) for price in in_currency)
