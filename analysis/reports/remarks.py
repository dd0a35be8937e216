"""What a symbol's newest values say: of each a kind and its values, which are worded when they are shown. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

OVERBOUGHT, OVERSOLD = 70, 30
TREND, NO_TREND = 25, 20  # of ADX, as Wilder reads it
AVERAGES = (20, 50, 200)

Latest = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True, slots=True)
class Remark:
    """values: the numbers that it rests upon, prices as they are told."""

    kind: str
    values: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def of(close: float, latest: Latest) -> list[Remark]:
    """What the newest close and the newest values say.

    latest: by key and output, None where there is no value. What has none says nothing, nor does what stands exactly on
    its line, but for RSI, whose lines are counted among what is beyond them.
    """
    return [found for say in _SAYING for found in say(close, latest)]


def _averages(close: float, latest: Latest) -> Iterator[Remark]:
    for bars in AVERAGES:
        average = _value(latest, f"sma_{bars}", "sma")
        if average is not None and close != average:
            kind = "above_average" if close > average else "below_average"
            yield Remark(kind, {"close": close, "average": average, "bars": bars})


def _momentum(close: float, latest: Latest) -> Iterator[Remark]:
    rsi = _value(latest, "rsi_14", "rsi")
    if rsi is not None:
        kind = "overbought" if rsi >= OVERBOUGHT else "oversold" if rsi <= OVERSOLD else "balanced"
        yield Remark(kind, {"rsi": rsi})


def _macd(close: float, latest: Latest) -> Iterator[Remark]:
    macd, signal = (_value(latest, "macd_12_26_9", name) for name in ("macd", "macdsignal"))
    if macd is not None and signal is not None and macd != signal:
        yield Remark("macd_above_signal" if macd > signal else "macd_below_signal", {"macd": macd, "signal": signal})


def _bands(close: float, latest: Latest) -> Iterator[Remark]:
    upper, lower = (_value(latest, "bbands_20_2", name) for name in ("upperband", "lowerband"))
    if upper is not None and close > upper:
        yield Remark("above_bands", {"close": close, "band": upper})
    if lower is not None and close < lower:
        yield Remark("below_bands", {"close": close, "band": lower})


def _strength(close: float, latest: Latest) -> Iterator[Remark]:
    adx = _value(latest, "adx_14", "adx")
    if adx is not None and (adx >= TREND or adx < NO_TREND):
        yield Remark("trending" if adx >= TREND else "without_trend", {"adx": adx})


_SAYING: tuple[Callable[[float, Latest], Iterator[Remark]], ...] = (
    _averages,
    _momentum,
    _macd,
    _bands,
    _strength,
)


def _value(latest: Latest, key: str, output: str) -> float | None:
    return latest.get(key, {}).get(output)
