"""The second formula of each indicator that has one, by its name. Pure."""

import numpy as np

from analysis.conformance.references import (
    Columns,
    Reference,
    ago,
    directed,
    dx,
    exponential,
    highest,
    line,
    lowest,
    mean,
    sliding,
    smoothed,
    total,
    true_range,
    typical,
    ups_and_downs,
    weighted,
    wilder,
    windowed,
)


def _deviation(values: np.ndarray, bars: int) -> np.ndarray:
    return windowed(values, bars, lambda window: window.std(axis=1))


def _bollinger(c: Columns, period: int, deviations: float) -> tuple[np.ndarray, ...]:
    middle, reach = mean(c["close"], period), deviations * _deviation(c["close"], period)
    return middle + reach, middle, middle - reach


def _fast_k(c: Columns, period: int) -> np.ndarray:
    low = lowest(c["low"], period)
    return 100 * (c["close"] - low) / (highest(c["high"], period) - low)


def _stochastic(c: Columns, period: int, slowk: int, slowd: int) -> tuple[np.ndarray, ...]:
    slow = mean(_fast_k(c, period), slowk)
    return slow, mean(slow, slowd)


def _balance(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    return 100 * (up - down) / (up + down)


def _rsi(close: np.ndarray, period: int) -> np.ndarray:
    up, down = (wilder(each, period) for each in ups_and_downs(close))
    return 100 - 100 / (1 + up / down)


def _stochastic_rsi(c: Columns, period: int, fastk: int, fastd: int) -> tuple[np.ndarray, ...]:
    strength = _rsi(c["close"], period)
    low = lowest(strength, fastk)
    fast = 100 * (strength - low) / (highest(strength, fastk) - low)
    return fast, mean(fast, fastd)


def _macd(c: Columns, fast: int, slow: int, signal: int) -> tuple[np.ndarray, ...]:
    between = exponential(c["close"], fast) - exponential(c["close"], slow)
    line_of_signal = exponential(between, signal)
    return between, line_of_signal, between - line_of_signal


def _money_flow(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    price = typical(c)
    flow, moved = price * c["volume"], price - ago(price)
    up, down = (total(np.where(each, flow, 0.0), period) for each in (moved > 0, moved < 0))
    return (100 * up / (up + down),)


def _accumulated(c: Columns) -> np.ndarray:
    reach = c["high"] - c["low"]
    part = np.divide(2 * c["close"] - c["high"] - c["low"], reach, out=np.zeros(len(reach)), where=reach != 0)
    return part * c["volume"]


def _on_balance(c: Columns) -> tuple[np.ndarray, ...]:
    signs = np.sign(np.diff(c["close"], prepend=c["close"][:1] - 1))
    return (np.cumsum(signs * c["volume"]),)


def _index_of_volume(c: Columns, *, rises: bool) -> tuple[np.ndarray, ...]:
    change, volume = c["close"][1:] / c["close"][:-1], np.diff(c["volume"])
    counts = volume > 0 if rises else volume < 0
    return (1000 * np.cumprod(np.append(1.0, np.where(counts, change, 1.0))),)


def _aroon(c: Columns, period: int) -> tuple[np.ndarray, np.ndarray]:
    # The newest of several extremes counts.
    since_low = windowed(c["low"], period + 1, lambda window: window[:, ::-1].argmin(axis=1))
    since_high = windowed(c["high"], period + 1, lambda window: window[:, ::-1].argmax(axis=1))
    return 100 * (period - since_low) / period, 100 * (period - since_high) / period


def _ultimate(c: Columns, short: int, middle: int, long: int) -> tuple[np.ndarray, ...]:
    pressure, reach = c["close"] - np.minimum(c["low"], ago(c["close"])), true_range(c)
    parts = [total(pressure, bars) / total(reach, bars) for bars in (short, middle, long)]
    return (100 * (4 * parts[0] + 2 * parts[1] + parts[2]) / 7,)


def _vortex(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    reach = total(true_range(c), period)
    up, down = np.abs(c["high"] - ago(c["low"])), np.abs(c["low"] - ago(c["high"]))
    return total(up, period) / reach, total(down, period) / reach


def _commodity(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    price = typical(c)
    apart = windowed(price, period, lambda window: np.abs(window - window.mean(axis=1, keepdims=True)).mean(axis=1))
    return ((price - mean(price, period)) / (0.015 * apart),)


def _hull(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    doubled = 2 * weighted(c["close"], period // 2) - weighted(c["close"], period)
    return (weighted(doubled, int(period**0.5)),)


def _ichimoku(c: Columns, conversion: int, base: int, span: int) -> tuple[np.ndarray, ...]:
    fast, slow, far = ((highest(c["high"], bars) + lowest(c["low"], bars)) / 2 for bars in (conversion, base, span))
    return fast, slow, (fast + slow) / 2, far, c["close"]


def _chandelier(c: Columns, period: int, multiple: float) -> tuple[np.ndarray, ...]:
    reach = multiple * wilder(true_range(c), period)
    return highest(c["high"], period) - reach, lowest(c["low"], period) + reach


def _thrice(values: np.ndarray, period: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    once = exponential(values, period)
    twice = exponential(once, period)
    return once, twice, exponential(twice, period)


def _dema(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    once, twice, _ = _thrice(c["close"], period)
    return (2 * once - twice,)


def _tema(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    once, twice, thrice = _thrice(c["close"], period)
    return (3 * once - 3 * twice + thrice,)


def _trix(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    thrice = _thrice(c["close"], period)[2]
    return (100 * (thrice / ago(thrice) - 1),)


def _strength(c: Columns, long: int, short: int) -> tuple[np.ndarray, ...]:
    moved = c["close"] - ago(c["close"])
    twice = [exponential(exponential(each, long), short) for each in (moved, np.abs(moved))]
    return (100 * twice[0] / twice[1],)


def _triangle(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    return (mean(mean(c["close"], (period + 1) // 2), period // 2 + 1),)


def _awesome(c: Columns, fast: int, slow: int) -> np.ndarray:
    middle = (c["high"] + c["low"]) / 2
    return mean(middle, fast) - mean(middle, slow)


def _accelerated(c: Columns, fast: int, slow: int, signal: int) -> tuple[np.ndarray, ...]:
    between = _awesome(c, fast, slow)
    return (between - mean(between, signal),)


def _efficiency(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    moved = np.abs(c["close"] - ago(c["close"]))
    return (np.abs(c["close"] - ago(c["close"], period)) / total(moved, period),)


def _filter(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    reach = highest(c["close"], period) - lowest(c["close"], period)
    return (reach / total(np.abs(c["close"] - ago(c["close"])), period),)


def _averaged_dx(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    return (wilder(dx(c, period), period),)


def _session_price(c: Columns) -> tuple[np.ndarray, ...]:
    found = np.empty(len(c["close"]))
    for day in np.unique(c["session_date"]):
        of_day = c["session_date"] == day
        volume = c["volume"][of_day]
        found[of_day] = np.cumsum(typical(c)[of_day] * volume) / np.cumsum(volume)
    return (found,)


def _bands(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    high, low = highest(c["high"], period), lowest(c["low"], period)
    return high, (high + low) / 2, low


def _slope(c: Columns, period: int) -> np.ndarray:
    return line(c["close"], period)[0]


def _fitted(c: Columns, period: int, at: int) -> tuple[np.ndarray, ...]:
    slope, first = line(c["close"], period)
    return (first + slope * at,)


def _rising(c: Columns, period: int) -> tuple[np.ndarray, ...]:
    rose = np.where(np.isnan(ago(c["close"])), np.nan, c["close"] > ago(c["close"]))
    return (100 * total(rose, period) / period,)


FORMULAS: dict[str, Reference] = {
    "sma": lambda c, period: (mean(c["close"], period),),
    "ema": lambda c, period: (exponential(c["close"], period),),
    "wma": lambda c, period: (weighted(c["close"], period),),
    "rma": lambda c, period: (wilder(c["close"], period),),
    "dema": _dema, "tema": _tema, "trima": _triangle, "hma": _hull, "trix": _trix, "tsi": _strength,
    "midpoint": lambda c, period: ((highest(c["close"], period) + lowest(c["close"], period)) / 2,),
    "midprice": lambda c, period: (_bands(c, period)[1],),
    "donchian": _bands,
    "avgprice": lambda c: ((c["open"] + c["high"] + c["low"] + c["close"]) / 4,),
    "medprice": lambda c: ((c["high"] + c["low"]) / 2,),
    "typprice": lambda c: (typical(c),),
    "wclprice": lambda c: ((c["high"] + c["low"] + 2 * c["close"]) / 4,),
    "disparity": lambda c, period: (100 * c["close"] / mean(c["close"], period),),
    "bbands": _bollinger,
    "percentb": lambda c, **of: ((c["close"] - (b := _bollinger(c, **of))[2]) / (b[0] - b[2]),),
    "bandwidth": lambda c, **of: (100 * ((b := _bollinger(c, **of))[0] - b[2]) / b[1],),
    "chandelier": _chandelier, "ichimoku": _ichimoku, "stoch": _stochastic, "stochrsi": _stochastic_rsi,
    "rsi": lambda c, period: (_rsi(c["close"], period),),
    "stochf": lambda c, period, fastd: (_fast_k(c, period), mean(_fast_k(c, period), fastd)),
    "willr": lambda c, period: (_fast_k(c, period) - 100,),
    "cci": _commodity, "macd": _macd, "mfi": _money_flow, "obv": _on_balance, "ultosc": _ultimate, "vortex": _vortex,
    "cmo": lambda c, period: (_balance(*(wilder(each, period) for each in ups_and_downs(c["close"]))),),
    "cmou": lambda c, period: (_balance(*(total(each, period) for each in ups_and_downs(c["close"]))),),
    "mom": lambda c, period: (c["close"] - ago(c["close"], period),),
    "roc": lambda c, period: (100 * (c["close"] / ago(c["close"], period) - 1),),
    "ao": lambda c, **of: (_awesome(c, **of),), "ac": _accelerated, "psychological": _rising,
    "bop": lambda c: ((c["close"] - c["open"]) / (c["high"] - c["low"]),),
    "ad": lambda c: (np.cumsum(_accumulated(c)),),
    "cmf": lambda c, period: (total(_accumulated(c), period) / total(c["volume"], period),),
    "nvi": lambda c: _index_of_volume(c, rises=False), "pvi": lambda c: _index_of_volume(c, rises=True),
    "efi": lambda c, period: (exponential((c["close"] - ago(c["close"])) * c["volume"], period),),
    "volumesma": lambda c, period: (mean(c["volume"], period),),
    "rvol": lambda c, period: (c["volume"] / ago(mean(c["volume"], period)),),
    "vwma": lambda c, period: (total(c["close"] * c["volume"], period) / total(c["volume"], period),),
    "vwap": lambda c, period: (total(typical(c) * c["volume"], period) / total(c["volume"], period),),
    "vwapsession": _session_price,
    "trange": lambda c: (true_range(c),),
    "atr": lambda c, period: (wilder(true_range(c), period),),
    "natr": lambda c, period: (100 * wilder(true_range(c), period) / c["close"],),
    "adr": lambda c, period: (mean(c["high"] - c["low"], period),),
    "stddev": lambda c, period: (_deviation(c["close"], period),),
    "var": lambda c, period: (_deviation(c["close"], period) ** 2,),
    "linearreg": lambda c, period: _fitted(c, period, period - 1),
    "tsf": lambda c, period: _fitted(c, period, period),
    "linearregslope": lambda c, period: (_slope(c, period),),
    "linearregintercept": lambda c, period: _fitted(c, period, 0),
    "linearregangle": lambda c, period: (np.degrees(np.arctan(_slope(c, period))),),
    "aroon": _aroon, "aroonosc": lambda c, period: (-np.subtract(*_aroon(c, period)),),
    "er": _efficiency, "vhf": _filter, "dx": lambda c, period: (dx(c, period),), "adx": _averaged_dx,
    "plusdi": lambda c, period: (directed(c, period)[0],), "minusdi": lambda c, period: (directed(c, period)[1],),
    "eri": lambda c, period: (c["high"] - exponential(c["close"], period), c["low"] - exponential(c["close"], period)),
    "qstick": lambda c, period: (mean(c["close"] - c["open"], period),),
    "distance": lambda c, period: (
        100 * (c["close"] / highest(c["high"], period) - 1), 100 * (c["close"] / lowest(c["low"], period) - 1)),
    "relativestrength": lambda c: (c["close"] / c["against"],),
    "beta": lambda c, period: (_slope_of_changes(c, period),), "correl": lambda c, period: (_correlation(c, period),),
    "rvi": lambda c, period, deviation: (_relative_volatility(c["close"], period, deviation),),
}  # fmt: skip


def _relative_volatility(close: np.ndarray, period: int, bars: int) -> np.ndarray:
    spread, moved = _deviation(close, bars), close - ago(close)
    up, down = (np.where(np.isnan(spread), np.nan, np.where(each, spread, 0.0)) for each in (moved > 0, moved < 0))
    up, down = (smoothed(each, period, 1 / period) for each in (up, down))
    return 100 * up / (up + down)


def _slope_of_changes(of: Columns, period: int) -> np.ndarray:
    """The covariance of the changes in percent by the variance of the other's."""
    mine, theirs = (each[1:] / each[:-1] - 1 for each in (of["close"], of["against"]))
    windows = zip(sliding(mine, period), sliding(theirs, period), strict=True)
    found = [np.cov(ours, other)[0, 1] / np.var(other, ddof=1) for ours, other in windows]
    return np.concatenate([np.full(len(of["close"]) - len(found), np.nan), found])


def _correlation(of: Columns, period: int) -> np.ndarray:
    windows = zip(sliding(of["close"], period), sliding(of["against"], period), strict=True)
    found = [np.corrcoef(ours, other)[0, 1] for ours, other in windows]
    return np.concatenate([np.full(period - 1, np.nan), found])
