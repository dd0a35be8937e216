"""Series that tests run every indicator over, and whether its live twin is its batch. A test walks the whole table."""

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
from bokeh_sampledata import stocks

from analysis.indicators.entry import Indicator

Columns = dict[str, np.ndarray]


def assert_each(indicators: Iterable[Indicator], check: Callable[[Indicator], str]) -> None:
    """check: what is wrong with one, or nothing. All that fail are named, each with what is wrong with it."""
    wrong = [f"{each.key}: {found}" for each in indicators if (found := _found(each, check))]
    assert not wrong, "\n".join(wrong)


@cache
def recorded(name: str) -> Columns:
    """Real sessions, as traded; three of them make one that an intraday bar would be of."""
    table = getattr(stocks, name)
    found = {column: np.array(table[column], float) for column in ("open", "high", "low", "close", "volume")}
    other = np.array(stocks.MSFT["close"][-len(found["close"]) :], float)
    dates = np.datetime64("2000-01-01") + np.arange(len(found["close"])) // 3
    return {**found, "against": other, "session_date": dates}


def part(columns: Columns, until: int | None) -> Columns:
    return {name: column[:until] for name, column in columns.items()}


def walk(seed: int, length: int, start: float) -> Columns:
    """Bars that stand still now and then: of one price, without volume, in a row."""
    random = np.random.default_rng(seed)
    moves = np.repeat(random.random(length // 5 + 1) < 0.5, 5)[:length]
    close = start * np.exp(np.cumsum(random.normal(0, 0.02, length) * moves))
    high, low = close * (1 + random.random(length) * 0.02 * moves), close * (1 - random.random(length) * 0.02 * moves)
    volume = random.integers(0, 1000, length) * np.repeat(random.random(length // 7 + 1) < 0.7, 7)[:length]
    dates = np.datetime64("2000-01-01") + np.arange(length) // 4
    opens = np.where(moves, low + (high - low) * random.random(length), close)
    still = np.repeat(random.random(length // 6 + 1) < 0.5, 6)[:length]
    against = 50 * np.exp(np.cumsum(random.normal(0, 0.02, length) * still))
    return {"open": opens, "high": high, "low": low, "close": close, "volume": volume.astype(float),
            "session_date": dates, "against": against}  # fmt: skip


def over(indicator: Indicator, columns: Columns) -> np.ndarray:
    """(bars, outputs)."""
    return np.column_stack(list(indicator.over(columns).values()))


def apart_in(indicator: Indicator, cases: Iterable[tuple[Columns, int]]) -> str:
    """The same of several series, each with its history's length."""
    return "; ".join(filter(None, (apart(indicator, columns, history) for columns, history in cases)))


def apart(indicator: Indicator, columns: Columns, history: int) -> str:
    """Where live and batch differ, at and after the end of a history; each bar is peeked twice before it is history."""
    batch = over(indicator, columns)[history:]
    live = indicator.carried(part(columns, history))
    read = {**columns, "session_date": columns["session_date"].astype(float)}
    bars = zip(*(read[name][history:].tolist() for name in indicator.inputs), strict=True)
    found = [(live.peek(*bar), live.peek(*bar), live.update(*bar)) for bar in bars]
    nothing = (np.nan,) * len(indicator.outputs)
    told = np.array([[nothing if value is None else value for value in of_bar] for of_bar in found])
    if not np.array_equal(told[:, :2], told[:, [2, 2]], equal_nan=True):
        return f"a peek says what the update does not, of {len(batch)} bars after {history}"
    updated = np.where(np.isfinite(told[:, 2]), told[:, 2], np.nan)
    same = (updated == batch) | (np.isnan(updated) & np.isnan(batch))
    if same.all():
        return ""
    first = int(np.argmin(same.all(axis=1)))
    return f"bar {history + first}, opened on {history}: live {updated[first]}, batch {batch[first]}"


def _found(indicator: Indicator, check: Callable[[Indicator], str]) -> str:
    try:
        return check(indicator)
    except Exception as error:  # noqa: BLE001 - one that breaks hides no other
        return repr(error)
