"""The 22 outputs that charts show most, as scripts write them with pandas."""

import numpy as np
import pandas as pd


def outputs(of: pd.DataFrame) -> list[pd.Series]:
    """of: with open, high, low, close and volume, oldest first."""
    close, high, low, volume = of["close"], of["high"], of["low"], of["volume"]
    moved = close.diff()
    up, down = (each.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean() for each in (moved, -moved))
    fast, slow = (close.ewm(span=span, adjust=False).mean() for span in (12, 26))
    signal = (fast - slow).ewm(span=9, adjust=False).mean()
    middle, spread = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    reach = pd.concat([high - low, (high - close.shift()).abs(), (low - close.shift()).abs()], axis=1).max(axis=1)
    smooth = reach.ewm(alpha=1 / 14, adjust=False).mean()
    rise, fall = high.diff(), -low.diff()
    plus, minus = rise.where((rise > fall) & (rise > 0), 0.0), fall.where((fall > rise) & (fall > 0), 0.0)
    plus, minus = (100 * each.ewm(alpha=1 / 14, adjust=False).mean() / smooth for each in (plus, minus))
    adx = (100 * (plus - minus).abs() / (plus + minus)).ewm(alpha=1 / 14, adjust=False).mean()
    lowest, highest = low.rolling(14).min(), high.rolling(14).max()
    slow_k = (100 * (close - lowest) / (highest - lowest)).rolling(3).mean()
    typical = (high + low + close) / 3
    return [
        *(close.rolling(bars).mean() for bars in (5, 10, 20, 50, 200)), fast, slow, 100 - 100 / (1 + up / down),
        fast - slow, signal, fast - slow - signal, middle, middle + 2 * spread, middle - 2 * spread, smooth, adx,
        slow_k, slow_k.rolling(3).mean(), (np.sign(moved).fillna(1) * volume).cumsum(),
        (typical * volume).rolling(20).sum() / volume.rolling(20).sum(), high.rolling(252).max(),
        low.rolling(252).min(),
    ]  # fmt: skip
