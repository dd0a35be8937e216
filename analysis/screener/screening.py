"""Which symbols a condition holds for now, which it began and ceased to hold for, and of whom nobody knows.

What is kept is read first. Fewer values can only leave more unknown, so what they tell is what all would tell; the
rest, and columns that nobody keeps, are computed of the bars.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.conditions.evaluating import Condition
from analysis.conditions.tree import AT, Series
from analysis.conditions.truth import FALSE, TRUE, UNKNOWN, Truth
from analysis.screener import kept
from analysis.screener.asking import Asked, is_figure
from analysis.screener.computed import Computing
from analysis.screener.kept import Values
from market import intervals
from market.models import Symbol

AT_ONCE = 100  # symbols whose bars are in memory together
EARLIER = 250  # bars beyond those that a condition needs, for what touched or was unknown meanwhile
MADE = 12  # times as long as a symbol of stored bars one takes whose bars are made on reading, measured
_NO_ROWS = 2  # bars that are read where no condition asks for any: the last one and the one before

Progress = Callable[[int, int], object]


class TooMany(RuntimeError):
    """More symbols are to be computed of their bars than were allowed. count: how many."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"{count} symbols have to be computed of their bars")


@dataclass(frozen=True, slots=True)
class Screened:
    """rows: of the symbols that it holds for, in the order asked. unknown: why nobody knows it of others, by ticker.

    asked: how many were judged, so that the rest of them it does not hold for. left: those that it held for at the bar
    before their last one, and no more. A row's `has_entered` is the other way round, None where that is not known.
    """

    interval: str
    asked: int
    rows: list[dict]
    left: list[str]
    unknown: dict[str, str]


@dataclass(slots=True)
class _Judged:
    """What is known so far, by ticker."""

    now: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    values: dict[str, dict[Series, float]] = field(default_factory=lambda: defaultdict(dict))
    facts: dict[str, dict] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def take(self, told: Values, truths: Truth | None) -> None:
        """truths: (bars, symbols); None: it holds for all."""
        now = [TRUE] * len(told.tickers) if truths is None else truths[-1].tolist()
        before = now if truths is None else truths[-2].tolist() if len(truths) > 1 else [UNKNOWN] * len(now)
        self.facts |= told.facts
        self.now |= dict(zip(told.tickers, now, strict=True))
        self.before |= dict(zip(told.tickers, before, strict=True))
        for series, each in told.columns.items():
            for ticker, value in zip(told.tickers, each[-1].tolist(), strict=True):
                self.values[ticker][series] = value


def screen(
    asked: Asked, tickers: Collection[str] | None = None, *, most: int | None = None, progress: Progress | None = None
) -> Screened:
    """Judge the tracked symbols, or those named, each by its own newest bar that has closed.

    most: symbols to be computed of their stored bars, or what takes as long, beyond which TooMany is raised. progress:
    told how many of those are done.
    Raises symbols.UnknownSymbol of a symbol that is named beside, UnknownInterval.
    """
    wanted = sorted(Symbol.objects.tracked().values_list("ticker", flat=True) if tickers is None else set(tickers))
    told_of_today = kept.figures_of(wanted, [each for each in asked.series if is_figure(each)])
    judged, rest = _by_rows(asked, wanted, told_of_today)
    lacking = [each for each in asked.series if not is_figure(each) and not kept.holds([each], asked.interval)]
    unfinished = [ticker for ticker, now in judged.now.items() if now == TRUE] if lacking else []
    count = len(rest) + len(unfinished)
    if most is not None and count * _weight(asked) > most:
        raise TooMany(count)
    _compute(asked, [*rest, *unfinished], told_of_today, judged, progress)
    held = [ticker for ticker in wanted if judged.now.get(ticker) == TRUE]
    unknown = {ticker: judged.unknown.get(ticker) or _why(asked, judged.values[ticker])
               for ticker in wanted if judged.now.get(ticker, UNKNOWN) == UNKNOWN}  # fmt: skip
    left = [ticker for ticker in wanted
            if judged.now.get(ticker) == FALSE and judged.before[ticker] == TRUE]  # fmt: skip
    for series, numbers in told_of_today.items():
        for ticker in held:
            judged.values[ticker][series] = numbers[ticker]
    rows = [_row(ticker, asked, judged) for ticker in _sorted(held, asked, judged)]
    return Screened(asked.interval, len(wanted), rows, left, unknown)


def _weight(asked: Asked) -> int:
    """How much dearer a symbol is than one of stored bars alone."""
    names = {each.interval or asked.interval for each in asked.series if each != AT} or {asked.interval}
    return 1 + MADE * sum(bool(intervals.named(name).made_from) for name in names)


def _by_rows(
    asked: Asked, tickers: Sequence[str], told_of_today: Mapping[Series, Mapping[str, float]]
) -> tuple[_Judged, list[str]]:
    """What the rows tell, and of whom they do not tell it."""
    judged, condition = _Judged(), asked.condition
    needed = () if condition is None else condition.series
    if not kept.holds(needed, asked.interval):
        return judged, list(tickers)
    read = [each for each in asked.series if not is_figure(each) and kept.holds([each], asked.interval)]
    told = kept.of(tickers, read, asked.interval)
    truths = _truths(condition, told, told_of_today)
    judged.take(told, truths)
    # What needs no bar before is as unknown by all bars as by the last one.
    is_final = condition is None or condition.bars == 1
    rest = [ticker for ticker in tickers
            if ticker not in judged.now or (judged.now[ticker] == UNKNOWN and not is_final)]  # fmt: skip
    return judged, rest


def _compute(
    asked: Asked,
    tickers: Sequence[str],
    told_of_today: Mapping[Series, Mapping[str, float]],
    judged: _Judged,
    progress: Progress | None,
) -> None:
    """Of the bars, as far as they are not known."""
    condition = asked.condition
    needed = () if condition is None else condition.series
    wanted = dict.fromkeys(each for each in (*needed, *asked.series) if not is_figure(each))
    length = _NO_ROWS if condition is None else condition.bars + EARLIER
    computing = Computing(wanted, asked.interval) if tickers or wanted else None
    for first in range(0, len(tickers), AT_ONCE):
        part = tickers[first : first + AT_ONCE]
        told, missing = computing.values(part, length)
        judged.unknown |= missing
        for ticker in missing:
            judged.now.pop(ticker, None)
        judged.take(told, _truths(condition, told, told_of_today) if told.tickers else None)
        if progress is not None:
            progress(min(first + AT_ONCE, len(tickers)), len(tickers))


def _truths(
    condition: Condition | None, told: Values, told_of_today: Mapping[Series, Mapping[str, float]]
) -> Truth | None:
    """(bars, symbols); None where nothing is asked. Key figures stand beside the last bar and the one before."""
    if condition is None:
        return None
    if not told.tickers:
        return np.empty((_NO_ROWS, 0), np.int8)
    values, (length, count) = dict(told.columns), next(iter(told.columns.values())).shape if told.columns else (2, 0)
    for series, numbers in told_of_today.items():
        column = np.full((max(length, _NO_ROWS), count or len(told.tickers)), np.nan)
        column[-_NO_ROWS:] = [numbers[ticker] for ticker in told.tickers]
        values[series] = column
    return condition.over(values)


def _sorted(held: list[str], asked: Asked, judged: _Judged) -> list[str]:
    """In the order asked, and by name where that leaves it open; what has no value stands behind what has."""
    for series, falls in reversed(asked.sort):
        if series is None:
            held.sort(reverse=falls)
            continue
        numbers = {ticker: judged.values[ticker].get(series, np.nan) for ticker in held}
        known = [ticker for ticker in held if np.isfinite(numbers[ticker])]
        known.sort(key=numbers.__getitem__, reverse=falls)
        held = known + [ticker for ticker in held if not np.isfinite(numbers[ticker])]
    return held


def _row(ticker: str, asked: Asked, judged: _Judged) -> dict:
    values = judged.values[ticker]
    return {
        "symbol": ticker,
        **judged.facts[ticker],
        "as_of_precision": intervals.named(asked.interval).precision,
        "has_entered": _has_entered(asked, judged.before[ticker]),
        "values": {str(each): _told(values.get(each, np.nan)) for each in asked.shown},
    }


def _has_entered(asked: Asked, before: int) -> bool | None:
    if asked.condition is not None and asked.condition.happens:
        return True  # what happens at a bar did not hold before
    return None if before == UNKNOWN else before == FALSE


def _why(asked: Asked, values: Mapping[Series, float]) -> str:
    lacking = [str(each) for each in asked.condition.series
               if each != AT and not np.isfinite(values.get(each, np.nan))]  # fmt: skip
    return f"no value yet of {', '.join(lacking)}" if lacking else "too few bars"


def _told(value: float) -> float | None:
    return value if np.isfinite(value) else None
