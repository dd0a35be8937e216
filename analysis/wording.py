"""What indicators, their parameters and their series are called, and what values say, in the reader's language."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from analysis.indicators import catalogue
from analysis.indicators.entries import GROUPS
from analysis.indicators.entry import PATTERN, Entry
from analysis.signals.rule import Rule

_GROUPS = {
    "averages": pgettext_lazy("indicators", "Averages"),
    "bands": pgettext_lazy("indicators", "Bands and stops"),
    "momentum": pgettext_lazy("indicators", "Momentum"),
    "trend": pgettext_lazy("indicators", "Trend"),
    "volatility": pgettext_lazy("indicators", "Volatility"),
    "volume": pgettext_lazy("indicators", "Volume"),
    "levels": pgettext_lazy("indicators", "Levels"),
    "mathematics": pgettext_lazy("indicators", "Mathematics"),
    "patterns": pgettext_lazy("indicators", "Candlestick patterns"),
}
_PARAMETERS = {
    "acceleration": pgettext_lazy("parameter", "Acceleration"),
    "base": pgettext_lazy("parameter", "Base line"),
    "change": pgettext_lazy("parameter", "Change over"),
    "conversion": pgettext_lazy("parameter", "Conversion line"),
    "deviation": pgettext_lazy("parameter", "Deviation over"),
    "deviations": pgettext_lazy("parameter", "Standard deviations"),
    "fast": pgettext_lazy("parameter", "Fast"),
    "fastd": pgettext_lazy("parameter", "Fast %D"),
    "fastk": pgettext_lazy("parameter", "Fast %K"),
    "left": pgettext_lazy("parameter", "Bars to the left"),
    "long": pgettext_lazy("parameter", "Long"),
    "maximum": pgettext_lazy("parameter", "At most"),
    "middle": pgettext_lazy("parameter", "Middle"),
    "multiple": pgettext_lazy("parameter", "Multiple"),
    "penetration": pgettext_lazy("parameter", "Into the body"),
    "percent": pgettext_lazy("parameter", "Percent"),
    "percentile": pgettext_lazy("parameter", "Percentile"),
    "period": pgettext_lazy("parameter", "Period"),
    "range": pgettext_lazy("parameter", "Range over"),
    "right": pgettext_lazy("parameter", "Bars to the right"),
    "short": pgettext_lazy("parameter", "Short"),
    "signal": pgettext_lazy("parameter", "Signal"),
    "slow": pgettext_lazy("parameter", "Slow"),
    "slowd": pgettext_lazy("parameter", "Slow %D"),
    "slowk": pgettext_lazy("parameter", "Slow %K"),
    "span": pgettext_lazy("parameter", "Leading span B"),
    "volume": pgettext_lazy("parameter", "Volume factor"),
    "weights": pgettext_lazy("parameter", "Weights over"),
}
_RATINGS = {
    "strong_buy": pgettext_lazy("rating", "Strong buy"),
    "buy": pgettext_lazy("rating", "Buy"),
    "neutral": pgettext_lazy("rating", "Neutral"),
    "sell": pgettext_lazy("rating", "Sell"),
    "strong_sell": pgettext_lazy("rating", "Strong sell"),
}
_FINDINGS = {
    "above_average": gettext_lazy("The close, {close}, is above its average of {bars} bars, {average}."),
    "below_average": gettext_lazy("The close, {close}, is below its average of {bars} bars, {average}."),
    "overbought": gettext_lazy("RSI is {rsi}: overbought."),
    "oversold": gettext_lazy("RSI is {rsi}: oversold."),
    "balanced": gettext_lazy("RSI is {rsi}: neither overbought nor oversold."),
    "macd_above_signal": gettext_lazy("MACD, {macd}, is above its signal line, {signal}."),
    "macd_below_signal": gettext_lazy("MACD, {macd}, is below its signal line, {signal}."),
    "above_bands": gettext_lazy("The close, {close}, is above the upper Bollinger band, {band}."),
    "below_bands": gettext_lazy("The close, {close}, is below the lower Bollinger band, {band}."),
    "trending": gettext_lazy("ADX is {adx}: there is a trend."),
    "without_trend": gettext_lazy("ADX is {adx}: there is no trend."),
}
_OF_HUNDRED = ("rsi", "adx")  # told with one decimal; the others are prices
_OUTPUTS = {
    "aroondown": pgettext_lazy("output", "Down"),
    "aroonup": pgettext_lazy("output", "Up"),
    "base": pgettext_lazy("output", "Base line"),
    "bearpower": pgettext_lazy("output", "Bear power"),
    "bullpower": pgettext_lazy("output", "Bull power"),
    "conversion": pgettext_lazy("output", "Conversion line"),
    "d": pgettext_lazy("output", "%D"),
    "fama": pgettext_lazy("output", "FAMA"),
    "fastd": pgettext_lazy("output", "Fast %D"),
    "fastk": pgettext_lazy("output", "Fast %K"),
    "haclose": pgettext_lazy("output", "Close"),
    "hahigh": pgettext_lazy("output", "High"),
    "halow": pgettext_lazy("output", "Low"),
    "haopen": pgettext_lazy("output", "Open"),
    "high": pgettext_lazy("output", "From the high"),
    "inphase": pgettext_lazy("output", "In phase"),
    "j": pgettext_lazy("output", "%J"),
    "k": pgettext_lazy("output", "%K"),
    "lagging": pgettext_lazy("output", "Lagging span"),
    "leadsine": pgettext_lazy("output", "Lead sine"),
    "long": pgettext_lazy("output", "Of a long"),
    "low": pgettext_lazy("output", "From the low"),
    "lowerband": pgettext_lazy("output", "Lower"),
    "macdhist": pgettext_lazy("output", "Histogram"),
    "macdsignal": pgettext_lazy("output", "Signal"),
    "max": pgettext_lazy("output", "Highest"),
    "middleband": pgettext_lazy("output", "Middle"),
    "min": pgettext_lazy("output", "Lowest"),
    "minusvi": pgettext_lazy("output", "VI−"),
    "pivot": pgettext_lazy("output", "Pivot"),
    "plusvi": pgettext_lazy("output", "VI+"),
    "quadrature": pgettext_lazy("output", "Quadrature"),
    "r1": pgettext_lazy("output", "R1"),
    "r2": pgettext_lazy("output", "R2"),
    "r3": pgettext_lazy("output", "R3"),
    "r4": pgettext_lazy("output", "R4"),
    "s1": pgettext_lazy("output", "S1"),
    "s2": pgettext_lazy("output", "S2"),
    "s3": pgettext_lazy("output", "S3"),
    "s4": pgettext_lazy("output", "S4"),
    "short": pgettext_lazy("output", "Of a short"),
    "sine": pgettext_lazy("output", "Sine"),
    "slowd": pgettext_lazy("output", "%D"),
    "slowk": pgettext_lazy("output", "%K"),
    "smisignal": pgettext_lazy("output", "Signal"),
    "spana": pgettext_lazy("output", "Leading span A"),
    "spanb": pgettext_lazy("output", "Leading span B"),
    "swinghigh": pgettext_lazy("output", "Swing high"),
    "swinglow": pgettext_lazy("output", "Swing low"),
    "trend": pgettext_lazy("output", "Direction"),
    "upperband": pgettext_lazy("output", "Upper"),
}
NOT_CHECKED = gettext_lazy("not independently checked")


def title(entry: Entry) -> str:
    """The Korean ones stand in the catalogue of texts by their English ones, which TA-Lib gives or the entry."""
    return pgettext("indicator", entry.title)


def rule(rule: Rule) -> str:
    """Likewise; those of a pattern are called as it is, whichever way they point."""
    return pgettext("indicator", rule.title) if rule.of == PATTERN else pgettext("signal", rule.title)


def part(key: str) -> str:
    """A part of the combined rating: an indicator with its numbers."""
    name, _, numbers = key.partition("_")
    called = title(catalogue.ENTRIES[name])
    return f"{called} ({numbers.replace('_', ', ')})" if numbers else called


def rating(word: str | None) -> str | None:
    """What the combined rating is called."""
    return None if word is None else str(_RATINGS[word])


def group(entry: Entry) -> str:
    return str(_GROUPS[GROUPS[entry.name]])


def output(entry: Entry, name: str) -> str:
    """Of a series beside others; an only one is called as its indicator."""
    return title(entry) if name == entry.name else str(_OUTPUTS[name])


def parameter(name: str) -> str:
    return str(_PARAMETERS[name])


def says(kind: str, values: Mapping[str, float], decimals: int) -> str:
    """A finding as a sentence; its kind where this version has none for it. decimals: of its symbol's prices."""
    told = {
        name: f"{value:.0f}" if name == "bars" else f"{value:,.{1 if name in _OF_HUNDRED else decimals}f}"
        for name, value in values.items()
    }
    return str(_FINDINGS[kind]).format(**told) if kind in _FINDINGS else kind
