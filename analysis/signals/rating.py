"""The combined technical rating: 26 parts that each say 1, 0 or -1, as TradingView's Technical Ratings. Pure.

Fifteen moving averages and eleven oscillators; `all` is the mean of the two groups' means. A part that has no value,
as one of volumes where none is traded, is not counted; before all have one there is no rating, and
behind a bar of which the volume is not known it begins anew. Above 0.5 is a strong
buy, above 0.1 a buy, from -0.1 neutral, from -0.5 a sell, below a strong sell.

Ichimoku's part is told differently by TradingView's help and its script; here it is: the cloud rises (span A above
span B), the price stands above it and above the base line, and the conversion line above the base line; and reversed.
Lines are those of the bar, without the displacement by which charts draw them.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from analysis.indicators import catalogue
from analysis.indicators.entry import Entry, Output, made
from analysis.indicators.series import (
    CLOSE,
    Bar,
    Call,
    Columns,
    Formula,
    Handle,
    Node,
    Values,
    as_tuple,
    call,
    change,
    ratio,
)
from analysis.indicators.undefined import Guarded, Zero

AVERAGES = (
    *(f"{name}_{period}" for name in ("sma", "ema") for period in (10, 20, 30, 50, 100, 200)),
    *("hma_9", "vwma_20", "ichimoku_9_26_52"),
)
OSCILLATORS = (
    *("rsi_14", "stoch_14_3_3", "cci_20", "adx_14", "ao_5_34", "mom_10", "macd_12_26_9", "stochrsi_14_14_3_3"),
    *("willr_14", "eri_13", "ultosc_7_14_28"),
)
_NOISE = 1e-12  # of the price: what a sum that is carried on leaves where nothing moves
_TURN = 1e-9  # of what goes from 0 to 100
Said = tuple  # the part's 1, 0 or -1, whether it has a value, and that


@dataclass(frozen=True)
class Lately:
    """A node's outputs, and behind them those of each of some bars before: one handle for all."""

    of: Node
    bars: int

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.of.inputs

    @property
    def lookback(self) -> int:
        return self.of.lookback + self.bars

    def over(self, columns: Columns) -> Values:
        now = self.of.over(columns)
        lacking = [np.full(min(bars, len(now[0])), np.nan) for bars in range(self.bars + 1)]
        return tuple(
            np.concatenate([lacking[bars], each])[: len(each)] for bars in range(self.bars + 1) for each in now
        )

    def open(self, columns: Columns) -> Handle:
        before = [tuple(each[-1 - bars].item() for each in self.of.over(columns)) for bars in range(self.bars + 1)]
        return _Lately(self.of.open(columns), before)


class _Lately:
    """past: the values of the newest bar, and of those before it."""

    __slots__ = ("_own", "_past")

    def __init__(self, own: Handle, past: list[Bar]) -> None:
        self._own, self._past = own, past

    @property
    def value(self) -> Bar:
        return tuple(chain.from_iterable(self._past))

    def update(self, *bar: float) -> Bar:
        self._past = [as_tuple(self._own.update(*bar)), *self._past[:-1]]
        return self.value

    def peek(self, *bar: float) -> Bar:
        return tuple(chain(as_tuple(self._own.peek(*bar)), *self._past[:-1]))


def _node(key: str) -> Node:
    return catalogue.named(key).node


def _second(of: Node) -> Formula:
    return Formula(lambda first, second: (second,), (of,))


def _stochastic_rsi() -> tuple[Node, Node]:
    """%K smoothed over 3 bars and %D over 3 more, with no value as long as a window has none: TA-Lib's fill is 0."""
    raw = Call("STOCHRSI", (CLOSE,), (("timeperiod", 14), ("fastk_period", 14), ("fastd_period", 3)))
    slow = _second(raw)
    still = change(call("RSI", CLOSE, timeperiod=14))
    return Guarded(slow, Zero(still, 13, {0: 2})), Guarded(call("SMA", slow, timeperiod=3), Zero(still, 13, {0: 4}))


def _part(buys, sells, *of) -> Said:
    """What is not known neither buys nor sells, as it is no more than anything."""
    said, nothing = 1.0 * buys - sells, 0.0 * sum(of)
    return said, nothing == 0, said + nothing


def _ichimoku(close, conversion, base, a, b) -> Said:
    rises = (a > b) & (close > a) & (close > base) & (conversion > base)
    falls = (a < b) & (close < a) & (close < base) & (conversion < base)
    return _part(rises, falls, conversion, base, a, b)


def _turns(now, before, low, high) -> Said:
    """Back from an extreme, all by more than the noise of a value that stands still."""
    up = (low - now > _TURN) & (now - before > _TURN)
    down = (now - high > _TURN) & (before - now > _TURN)
    return _part(up, down, now, before)


def _stochastic(k, d, k_before, d_before, *, falls=True, rises=True) -> Said:
    """falls, rises: the trend against which it is read."""
    up = falls & (k < 20) & (d < 20) & (k > d) & (k_before < d_before)
    down = rises & (k > 80) & (d > 80) & (k < d) & (k_before > d_before)
    return _part(up, down, k, d, k_before, d_before)


def _direction(adx, plus, minus, plus_before, minus_before) -> Said:
    up = (adx > 20) & (plus > minus) & (plus_before < minus_before)
    down = (adx > 20) & (plus < minus) & (plus_before > minus_before)
    return _part(up, down, adx, plus, minus, plus_before, minus_before)


def _awesome(now, before, earlier, noise) -> Said:
    """Across 0, or a saucer."""
    up = (now > noise) & ((before <= noise) | ((now > before) & (earlier > before)))
    down = (now < -noise) & ((before >= -noise) | ((now < before) & (earlier < before)))
    return _part(up, down, now, before, earlier)


def _powers(over, noise, bulls, bears, bulls_before, bears_before) -> Said:
    """over: by how much the price stands over its trend."""
    up = (over > noise) & (bears < 0) & (bears > bears_before)
    down = (over < -noise) & (bulls > 0) & (bulls < bulls_before)
    return _part(up, down, over, bulls, bears, bulls_before, bears_before)


def _rated(close, *of):
    """The three ratings and the 26 parts, of the values of _NODES in their order."""
    averages, lines = of[:14], of[14:18]
    (rsi, rsi_before, k, d, k_before, d_before, cci, cci_before, adx, plus, plus_before, minus, minus_before, ao,
     ao_before, ao_earlier, mom, mom_before, macd, signal, fast, fast_before, slow, slow_before, willr, willr_before,
     trend, bulls, bears, bulls_before, bears_before, ultimate) = of[18:]  # fmt: skip
    noise = _NOISE * abs(close)
    first = [
        *(_part(close - each > noise, each - close > noise, each) for each in averages),
        _ichimoku(close, *lines),
    ]
    second = [
        _turns(rsi, rsi_before, 30, 70),
        _stochastic(k, d, k_before, d_before),
        _turns(cci, cci_before, -100, 100),
        _direction(adx, plus, minus, plus_before, minus_before),
        _awesome(ao, ao_before, ao_earlier, noise),
        _part(mom - mom_before > noise, mom_before - mom > noise, mom, mom_before),
        _part(macd - signal > noise, signal - macd > noise, macd, signal),
        _stochastic(fast, slow, fast_before, slow_before, falls=trend - close > noise, rises=close - trend > noise),
        _turns(willr, willr_before, -80, -20),
        _powers(close - trend, noise, bulls, bears, bulls_before, bears_before),
        _part(ultimate > 70, ultimate < 30, ultimate),
    ]
    of_averages, of_oscillators = _mean(first), _mean(second)
    return (of_averages + of_oscillators) / 2, of_averages, of_oscillators, *(told for *_, told in (*first, *second))


def _mean(parts: list[Said]):
    """Of those that have a value."""
    total, count = 0.0, 0.0
    for said, is_known, _ in parts:
        total, count = total + said, count + is_known
    return ratio(total, count)


def _nodes() -> tuple[Node, ...]:
    ichimoku = Formula(lambda fast, slow, a, b, lagging: (fast, slow, a, b), (_node("ichimoku_9_26_52"),))
    macd = Formula(lambda line, signal, rest: (line, signal), (_node("macd_12_26_9"),))
    return (
        CLOSE, *map(_node, AVERAGES[:14]), ichimoku,
        *(Lately(_node(key), 1) for key in ("rsi_14", "stoch_14_3_3", "cci_20")),
        _node("adx_14"), Lately(_node("plusdi_14"), 1), Lately(_node("minusdi_14"), 1), Lately(_node("ao_5_34"), 2),
        Lately(_node("mom_10"), 1), macd, *(Lately(each, 1) for each in _stochastic_rsi()),
        Lately(_node("willr_14"), 1), _node("ema_50"), Lately(_node("eri_13"), 1), _node("ultosc_7_14_28"),
    )  # fmt: skip


RATING: Entry = made(
    "rating",
    lambda _: Formula(_rated, _nodes()),
    "all",
    "averages",
    "oscillators",
    *(Output(each) for each in (*AVERAGES, *OSCILLATORS)),
    title="Technical Rating",
    source="TradingView, Technical Ratings (help centre, 43000614331); Ichimoku by the cloud and base line",
)
