"""A chart's rows as bars, as traded and in the symbol's currency, and its splits and payments. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

import numpy as np

from market import intervals
from market.bars import batch
from market.bars.batch import Batch
from market.intervals import Interval
from market.prices import Action, Bar, Named
from market.sources.yahoo.charts import candles, columns, days, units
from market.sources.yahoo.charts.candles import Dated
from market.sources.yahoo.charts.columns import Chart
from market.sources.yahoo.charts.days import Days
from market.sources.yahoo.charts.events import ALL_KNOWN, NOTHING, Events, Held, Split, cash, restating, told
from market.sources.yahoo.charts.listed import Symbol

_QUARTER = 900  # seconds


@dataclass(frozen=True, slots=True)
class History:
    """What an answer says. left_out: what of it is misshapen, a few words each; so many candles are. undecided: as
    Events has it.

    told: what people should hear of it, each with its kind: `splits`, `corrections` or `calendar`.
    """

    batch: Batch
    actions: Named
    left_out: list[str]
    told: list[tuple[str, str]]
    undecided: date | None = None
    candles_left_out: int = 0

    @property
    def bars(self) -> list[Bar]:
        return self.batch.bars()


def read(chart: dict, *, symbol: Symbol, interval: str, now: datetime, held: Held = NOTHING) -> History:
    """The chart's candles as traded, oldest first, one a session or instant, its splits, dividends and capital gains.

    A candle whose shares nobody can count, because of a split that can't be read, is left out, and so are runs that
    would change what is held by one ratio. Raises Misshapen.
    """
    asked = intervals.named(interval)
    known = _known(chart, symbol, held, now, asked)
    found, words = columns.bars(known, asked, now), _words(known)
    misshapen = [] if known.rows.rows.is_whole else candles.left_out(chart)
    left_out = misshapen + known.events.left_out
    if asked.is_whole and held.closes:
        kept, contested = restating.uncontested(found.bars(), known.events, held)
        found = found.take(np.isin(found.opened, [batch.seconds(bar.opened_at) for bar in kept]))
        words += [("corrections", why) for why in contested]
    elif not asked.is_whole:
        left_out += _between_openings(chart, asked.seconds)
    return History(found, _actions(known, held), left_out, words, known.events.undecided, len(misshapen))


def settled_rows(chart: dict, known: Days) -> Dated:
    """Each complete row with its session, and whether the source has settled it.

    It has where the row is no longer the last, or is stamped with its opening: as the one before it is, or by the
    hours of the session.
    """
    rows = candles.rows(chart)
    found = Dated(rows, known.of_rows(rows), np.ones(len(rows), bool))
    for place in np.flatnonzero(rows.seconds == rows.last.timestamp()).tolist() if rows.last else ():
        at, usual = rows.at[place], rows.at[place - 1].time() if place else None
        found.is_settled[place] = at.time() == usual or known.is_opening(at, found.date(place))
    return found


def _rows_within(chart: dict, known: Days, seconds: int) -> Dated:
    """The same of rows within sessions, which are stamped with their openings but for the newest: while a session runs
    and some hours after, that is once more the last trade.
    """
    rows = candles.rows(chart)
    opens = (known.opens_a_bar(at, seconds) if at == rows.last else _is_opening(at, seconds) for at in rows.at)
    rows = rows.take([place for place, is_one in enumerate(opens) if is_one])
    return Dated(rows, known.of_trades(rows), np.ones(len(rows), bool))


def _between_openings(chart: dict, seconds: int) -> list[str]:
    rows = candles.rows(chart)
    return [f"a row of {at:%H:%M:%S}" for at in rows.at if at != rows.last and not _is_opening(at, seconds)]


def _is_opening(at: datetime, seconds: int) -> bool:
    """Whether a row may be stamped with its opening: exchanges open at some quarter of an hour, and so do all bars that
    are longer. One that is not is a last trade that stayed.
    """
    return (at.minute * 60 + at.second) % min(seconds, _QUARTER) == 0


def judged(
    chart: dict,
    known: Days,
    rows: Dated,
    unit: Fraction,
    now: datetime,
    held: Held = NOTHING,
    *,
    is_of_days: bool = True,
) -> Events:
    """The splits and payments, and which splits the answer has not restated by. Raises Misshapen.

    is_of_days: it goes up to now, and so names all; of others those that we hold of later sessions count too.
    """
    events = told.read(chart, known)
    if rows and not is_of_days:
        events = events.followed_by(held.splits, rows.date(-1))
    return restating.judged(events, rows, held, unit, now.astimezone(known.zone).date())


def _known(chart: dict, symbol: Symbol, held: Held, now: datetime, interval: Interval) -> Chart:
    known, currency = days.of_chart(chart, symbol), chart["meta"].get("currency")
    rows = settled_rows(chart, known) if interval.is_whole else _rows_within(chart, known, interval.seconds)
    unit = units.factor(currency, symbol.currency)
    events = judged(chart, known, rows, unit, now, held, is_of_days=interval.is_whole)
    return Chart(symbol, known, rows, events, unit, units.parts(currency))


def _actions(chart: Chart, held: Held) -> Named:
    events, ticker = chart.events, chart.symbol.ticker
    found = [_split(ticker, each) for each in events.splits]
    whole = events.whole if events.known_from == ALL_KNOWN else frozenset()  # a dividend before it is left out too
    for each in cash.payments(events, chart.rows, chart.parts, held.usual):
        if each.ex_date >= events.known_from:
            paid = each.amount * events.later(each.ex_date) * chart.unit.numerator / chart.unit.denominator
            found.append(Action(ticker, each.kind, each.ex_date, round(paid, 6), disputed=each.disputed))
    return Named(sorted(found, key=lambda action: (action.ex_date, action.kind)), whole)


def _words(chart: Chart) -> list[tuple[str, str]]:
    """Which splits are not in the prices yet, and where the source trades otherwise than the exchange's calendar says:
    it is right, our table of facts lacks it.
    """
    unrestated = [
        ("splits", f"{split.numerator:g}:{split.denominator:g} of {split.ex_date} is named, and the prices before it "
         "are not restated: they stay what they were")
        for split in sorted(chart.events.unrestated)
    ]  # fmt: skip
    strange = chart.days.strange(chart.rows.session)
    traded = [f"it traded on {session}, no session of the calendar" for session in strange]
    return unrestated + [("calendar", why) for why in traded + chart.days.other_hours()]


def _split(ticker: str, said: Split) -> Action:
    kind = "spin_off" if said.is_spin_off else "split"
    why = f"nobody splits by {said.numerator:g}:{said.denominator:g}; a spin-off?" if said.is_spin_off else None
    return Action(ticker, kind, said.ex_date, said.value, said.numerator, said.denominator, disputed=why)
