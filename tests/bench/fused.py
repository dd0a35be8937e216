"""The rival of indicators in machine code: numba's one pass over a symbol's bars for all 22 outputs, and one step.

Written for speed: one state of numbers a symbol, windows read from the columns by their places. It begins as TA-Lib
does, but for ADX, whose beginning dies away.
"""

import numpy as np
from numba import njit

OUTPUTS, STATE = 22, 32
SMA = np.array([5, 10, 20, 50, 200])
_SECOND, _THIRD = 2 / 13, 2 / 27


@njit
def step(s, high, low, close, volume, i, out):
    """Bar i. s: float64 (STATE,), zeros before the first bar; out: float64 (OUTPUTS,)."""
    c, v = close[i], volume[i]
    for place in range(5):
        period = SMA[place]
        s[place] += c - (close[i - period] if i >= period else 0.0)
        out[place] = s[place] / period if i >= period - 1 else np.nan
    s[5] = s[5] + c / 12 if i < 12 else s[5] + _SECOND * (c - s[5])
    s[6] = s[6] + c / 26 if i < 26 else s[6] + _THIRD * (c - s[6])
    out[5] = s[5] if i >= 11 else np.nan
    out[6] = s[6] if i >= 25 else np.nan
    _oscillators(s, close, i, out)
    _ranges(s, high, low, close, i, out)
    _stochastic(s, high, low, close, i, out)
    s[19] += v if i == 0 or c > close[i - 1] else (-v if c < close[i - 1] else 0.0)
    out[17] = s[19]
    s[20] += (high[i] + low[i] + c) / 3 * v
    s[21] += v
    if i >= 20:
        s[20] -= (high[i - 20] + low[i - 20] + close[i - 20]) / 3 * volume[i - 20]
        s[21] -= volume[i - 20]
    out[18] = s[20] / s[21] if i >= 19 and s[21] != 0 else np.nan
    _extremes(s, high, low, i, out)


@njit(inline="always")
def _oscillators(s, close, i, out):
    c = close[i]
    if i < 26:
        s[7] += c / 12 if i >= 14 else 0.0
    else:
        s[7] += _SECOND * (c - s[7])
    out[8] = out[9] = out[10] = np.nan
    if i >= 25:
        macd = s[7] - s[6]
        s[8] = s[8] + macd / 9 if i < 34 else s[8] + 0.2 * (macd - s[8])
        if i >= 33:
            out[8], out[9], out[10] = macd, s[8], macd - s[8]
    s[10] += c * c - (close[i - 20] * close[i - 20] if i >= 20 else 0.0)
    out[11] = out[12] = out[13] = np.nan
    if i >= 19:
        middle = s[2] / 20
        reach = 2 * np.sqrt(max(s[10] / 20 - middle * middle, 0.0))
        out[11], out[12], out[13] = middle + reach, middle, middle - reach
    out[7] = np.nan
    if i:
        moved = c - close[i - 1]
        up, down = max(moved, 0.0), max(-moved, 0.0)
        s[11] = s[11] + up / 14 if i <= 14 else (s[11] * 13 + up) / 14
        s[12] = s[12] + down / 14 if i <= 14 else (s[12] * 13 + down) / 14
        if i >= 14 and s[11] + s[12] != 0:
            out[7] = 100 * s[11] / (s[11] + s[12])


@njit(inline="always")
def _ranges(s, high, low, close, i, out):
    out[14] = out[15] = np.nan
    if not i:
        return
    reach = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
    s[13] = s[13] + reach / 14 if i <= 14 else (s[13] * 13 + reach) / 14
    if i >= 14:
        out[14] = s[13]
    rise, fall = high[i] - high[i - 1], low[i - 1] - low[i]
    plus = rise if rise > fall and rise > 0 else 0.0
    minus = fall if fall > rise and fall > 0 else 0.0
    if i < 14:
        s[14], s[15], s[16] = s[14] + plus, s[15] + minus, s[16] + reach
        return
    s[14], s[15], s[16] = s[14] - s[14] / 14 + plus, s[15] - s[15] / 14 + minus, s[16] - s[16] / 14 + reach
    both = s[14] + s[15]
    apart = 100 * abs(s[14] - s[15]) / both if both else 0.0
    s[17] = s[17] + apart / 14 if i <= 27 else (s[17] * 13 + apart) / 14
    if i >= 27:
        out[15] = s[17]


@njit(inline="always")
def _stochastic(s, high, low, close, i, out):
    out[16] = out[21] = np.nan
    if i < 13:
        return
    highest, lowest = high[i - 13], low[i - 13]
    for at in range(i - 12, i + 1):
        highest, lowest = max(highest, high[at]), min(lowest, low[at])
    s[22], s[23], s[24] = s[23], s[24], 100 * (close[i] - lowest) / (highest - lowest) if highest > lowest else 0.0
    s[25], s[26], s[27] = s[26], s[27], (s[22] + s[23] + s[24]) / 3
    if i >= 17:
        out[16], out[21] = s[27], (s[25] + s[26] + s[27]) / 3


@njit(inline="always")
def _extremes(s, high, low, i, out):
    """Of 252 bars, by the places of those that stand."""
    first, top, bottom = i - 251, int(s[28]), int(s[29])
    if high[i] >= high[top]:
        top = i
    elif top < first:
        top = first + high[first : i + 1].argmax()
    if low[i] <= low[bottom]:
        bottom = i
    elif bottom < first:
        bottom = first + low[first : i + 1].argmin()
    s[28], s[29] = top, bottom
    out[19] = high[top] if i >= 251 else np.nan
    out[20] = low[bottom] if i >= 251 else np.nan


@njit
def over(high, low, close, volume, out):
    """One pass over a symbol. out: float64 (n, OUTPUTS). Returns the state behind the last bar."""
    s = np.zeros(STATE)
    for i in range(len(close)):
        step(s, high, low, close, volume, i, out[i])
    return s


@njit
def update(states, high, low, close, volume, i, out):
    """One bar more of every symbol. states: (symbols, STATE); columns: (symbols, n); out: (symbols, OUTPUTS)."""
    for symbol in range(len(states)):
        step(states[symbol], high[symbol], low[symbol], close[symbol], volume[symbol], i, out[symbol])
