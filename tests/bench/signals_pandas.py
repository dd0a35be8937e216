"""The rules of signals but for candlestick patterns, as scripts write them in pandas: a rival to measure against."""

from itertools import pairwise

import numpy as np
import pandas as pd

Rules = list[pd.Series]


def rules(of: pd.DataFrame) -> Rules:
    """As many as the catalogue has of them, each true where it fires."""
    close, high, low = of["close"], of["high"], of["low"]
    rsi, (macd, signal) = _rsi(close), _macd(close)
    upper, lower = _bands(close)
    width = 1.5 * _wilder(_true_range(of), 20)
    middle = close.ewm(span=20, adjust=False).mean()
    squeezed = (upper < middle + width) & (lower > middle - width)
    was = squeezed.shift(fill_value=False)
    fast, slow, a, b = _ichimoku(high, low)
    volume = of["volume"] / of["volume"].rolling(20).mean().shift()
    trend = _supertrend(of)
    adx, plus, minus = _adx(of)
    rating = _rating(of)
    average = close.rolling(200).mean()
    rises, falls = close > close.shift(), close < close.shift()
    year_high, year_low = high.rolling(252).max().shift(), low.rolling(252).min().shift()
    return [
        *_crosses(close.rolling(50).mean(), average), *_crosses(close, average),
        _down(rsi, 30), _up(rsi, 70), _up(rsi, 30), _down(rsi, 70), *_divergence(rsi, low, high),
        *_crosses(macd, signal), _begins(squeezed), _up(close, upper), _down(close, lower),
        _up(close, upper) & was, _down(close, lower) & was, _begins(high > year_high), _begins(low < year_low),
        low > high.shift(), high < low.shift(), _begins((volume >= 2) & rises), _begins((volume >= 2) & falls),
        *_crosses(trend, 0), *_crosses(fast, slow),
        _begins((close > a.shift(26)) & (close > b.shift(26))), _begins((close < a.shift(26)) & (close < b.shift(26))),
        _up(adx, 25) & (plus > minus), _up(adx, 25) & (plus < minus),
        *(_begins(each) for each in (rating > 0.1, rating < -0.1, rating > 0.5, rating < -0.5)),
    ]  # fmt: skip


def _up(one, other) -> pd.Series:
    before = other.shift() if isinstance(other, pd.Series) else other
    return (one > other) & (one.shift() <= before)


def _down(one, other) -> pd.Series:
    before = other.shift() if isinstance(other, pd.Series) else other
    return (one < other) & (one.shift() >= before)


def _crosses(one, other) -> Rules:
    return [_up(one, other), _down(one, other)]


def _begins(holds: pd.Series) -> pd.Series:
    return holds & ~holds.shift(fill_value=False)


def _wilder(of: pd.Series, period: int) -> pd.Series:
    return of.ewm(alpha=1 / period, adjust=False).mean()


def _rsi(close: pd.Series) -> pd.Series:
    moved = close.diff()
    return 100 - 100 / (1 + _wilder(moved.clip(lower=0), 14) / _wilder(-moved.clip(upper=0), 14))


def _macd(close: pd.Series) -> tuple[pd.Series, pd.Series]:
    line = close.ewm(span=12, adjust=False).mean() - close.ewm(span=26, adjust=False).mean()
    return line, line.ewm(span=9, adjust=False).mean()


def _bands(close: pd.Series) -> tuple[pd.Series, pd.Series]:
    middle, spread = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    return middle + 2 * spread, middle - 2 * spread


def _true_range(of: pd.DataFrame) -> pd.Series:
    before = of["close"].shift()
    return pd.concat([of["high"] - of["low"], (of["high"] - before).abs(), (of["low"] - before).abs()], axis=1).max(
        axis=1
    )


def _ichimoku(high: pd.Series, low: pd.Series) -> tuple[pd.Series, ...]:
    fast, slow, span = ((high.rolling(bars).max() + low.rolling(bars).min()) / 2 for bars in (9, 26, 52))
    return fast, slow, (fast + slow) / 2, span


def _supertrend(of: pd.DataFrame) -> pd.Series:
    middle, reach = (of["high"] + of["low"]) / 2, 3 * _wilder(_true_range(of), 10)
    uppers, lowers, closes = (middle + reach).tolist(), (middle - reach).tolist(), of["close"].tolist()
    trend = [1]
    for at in range(1, len(closes)):
        if uppers[at] > uppers[at - 1] and closes[at - 1] <= uppers[at - 1]:
            uppers[at] = uppers[at - 1]
        if lowers[at] < lowers[at - 1] and closes[at - 1] >= lowers[at - 1]:
            lowers[at] = lowers[at - 1]
        trend.append(1 if closes[at] > uppers[at - 1] else -1 if closes[at] < lowers[at - 1] else trend[-1])
    return pd.Series(trend, of.index)


def _adx(of: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    rise, fall, reach = of["high"].diff(), -of["low"].diff(), _wilder(_true_range(of), 14)
    plus = 100 * _wilder(rise.where((rise > fall) & (rise > 0), 0.0), 14) / reach
    minus = 100 * _wilder(fall.where((fall > rise) & (fall > 0), 0.0), 14) / reach
    return _wilder(100 * (plus - minus).abs() / (plus + minus), 14), plus, minus


def _divergence(rsi: pd.Series, low: pd.Series, high: pd.Series) -> Rules:
    found = []
    for of, price, sign in ((rsi, low, 1), (rsi, high, -1)):
        window = (of * sign).rolling(11).min()
        at = np.flatnonzero((of * sign).shift(5) == window)
        told = pd.Series(False, of.index)
        for before, now in pairwise(at):
            parts = (of[now - 5] - of[before - 5]) * sign > 0 > (price[now - 5] - price[before - 5]) * sign
            told[now] = 5 <= now - before <= 60 and parts
        found.append(told)
    return found


def _rating(of: pd.DataFrame) -> pd.Series:
    close, high, low = of["close"], of["high"], of["low"]
    lengths = (10, 20, 30, 50, 100, 200)
    lines = [close.rolling(bars).mean() for bars in lengths] + [
        close.ewm(span=bars, adjust=False).mean() for bars in lengths
    ]
    lines.append(_weighted(2 * _weighted(close, 4) - _weighted(close, 9), 3))
    lines.append((close * of["volume"]).rolling(20).sum() / of["volume"].rolling(20).sum())
    fast, slow, a, b = _ichimoku(high, low)
    cloud = _said(
        (a > b) & (close > a) & (close > slow) & (fast > slow), (a < b) & (close < a) & (close < slow) & (fast < slow)
    )
    averages = sum(np.sign(close - line) for line in lines) + cloud
    return (averages / 15 + sum(_oscillators(of)) / 11) / 2


def _weighted(of: pd.Series, bars: int) -> pd.Series:
    weights = np.arange(1, bars + 1)
    return of.rolling(bars).apply(lambda window: window @ weights / weights.sum(), raw=True)


def _said(buys: pd.Series, sells: pd.Series) -> pd.Series:
    return buys.astype(float) - sells.astype(float)


def _turns(of: pd.Series, lowest: float, highest: float) -> pd.Series:
    return _said((of < lowest) & (of > of.shift()), (of > highest) & (of < of.shift()))


def _stochastic(k: pd.Series, d: pd.Series, falls=True, rises=True) -> pd.Series:
    return _said(falls & (k < 20) & (d < 20) & (k > d) & (k.shift() < d.shift()),
                 rises & (k > 80) & (d > 80) & (k < d) & (k.shift() > d.shift()))  # fmt: skip


def _oscillators(of: pd.DataFrame) -> Rules:
    close, high, low = of["close"], of["high"], of["low"]
    rsi, (macd, signal), (adx, plus, minus) = _rsi(close), _macd(close), _adx(of)
    lowest, highest = low.rolling(14).min(), high.rolling(14).max()
    k = (100 * (close - lowest) / (highest - lowest)).rolling(3).mean()
    typical = (high + low + close) / 3
    spread = typical.rolling(20).apply(lambda window: np.abs(window - window.mean()).mean(), raw=True)
    cci = (typical - typical.rolling(20).mean()) / (0.015 * spread)
    middle = (high + low) / 2
    ao, mom = middle.rolling(5).mean() - middle.rolling(34).mean(), close.diff(10)
    of_rsi = 100 * (rsi - rsi.rolling(14).min()) / (rsi.rolling(14).max() - rsi.rolling(14).min())
    trend, mean = close.ewm(span=50, adjust=False).mean(), close.ewm(span=13, adjust=False).mean()
    bulls, bears = high - mean, low - mean
    floor = np.minimum(low, close.shift())
    pressure, reach = close - floor, _true_range(of)
    part = [pressure.rolling(bars).sum() / reach.rolling(bars).sum() for bars in (7, 14, 28)]
    ultimate = 100 * (4 * part[0] + 2 * part[1] + part[2]) / 7
    fast = of_rsi.rolling(3).mean()
    return [
        _turns(rsi, 30, 70), _stochastic(k, k.rolling(3).mean()), _turns(cci, -100, 100),
        _said((adx > 20) & _up(plus, minus), (adx > 20) & _down(plus, minus)),
        _said(_up(ao, 0) | ((ao > 0) & (ao > ao.shift()) & (ao.shift(2) > ao.shift())),
              _down(ao, 0) | ((ao < 0) & (ao < ao.shift()) & (ao.shift(2) < ao.shift()))),
        np.sign(mom.diff()), np.sign(macd - signal),
        _stochastic(fast, fast.rolling(3).mean(), close < trend, close > trend),
        _turns(-100 * (highest - close) / (highest - lowest), -80, -20),
        _said((close > trend) & (bears < 0) & (bears > bears.shift()),
              (close < trend) & (bulls > 0) & (bulls < bulls.shift())),
        _said(ultimate > 70, ultimate < 30),
    ]  # fmt: skip
