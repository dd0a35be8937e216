"""Trend: whether there is one, which way, and its cycles."""

from analysis.indicators.entry import INDEX, PRICE, PRICE_PANE, Output, Range, ta
from analysis.indicators.series import CLOSE, TRUE_RANGE, Step, change
from analysis.indicators.undefined import Zero, fading

_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
_EHLERS = "Ehlers, Rocket Science for Traders, 2001"
_PERIOD = Range(14, 2, 400)
# Whether a bar moves in a direction: its high or its low goes beyond the one before, and not both as far.
_MOVED = Step(
    lambda high, low, high_before, low_before: (
        1.0 * ((high - high_before != low_before - low) & ((high - high_before > 0) | (low_before - low > 0)))
    ),
    ("high", "low"),
)


def _undirected(of):
    return (Zero(_MOVED, None, fades=fading(1 - 1 / of["period"])),)


def _no_range(of):
    return (Zero(TRUE_RANGE, None, fades=fading(1 - 1 / of["period"])),)


def _still(_):
    return (Zero(change(CLOSE), None),)


ENTRIES = [
    ta("ADX", period=_PERIOD, levels=(25,), source=_WILDER, zero=_undirected),
    ta("ADXR", period=_PERIOD, levels=(25,), source=_WILDER, zero=_undirected),
    ta("DX", period=_PERIOD, source=_WILDER, zero=_undirected),
    ta("PLUS_DI", period=_PERIOD, source=_WILDER, zero=_no_range),
    ta("MINUS_DI", period=_PERIOD, source=_WILDER, zero=_no_range),
    ta("PLUS_DM", unit=PRICE, period=_PERIOD, source=_WILDER),
    ta("MINUS_DM", unit=PRICE, period=_PERIOD, source=_WILDER),
    ta("AROON", period=Range(14, 2, 400), levels=(30, 70), source="Chande, Stocks & Commodities, September 1995"),
    ta("AROONOSC", period=Range(14, 2, 400), levels=(0,), source="Chande, Stocks & Commodities, September 1995"),
    ta("VORTEX", period=_PERIOD, levels=(1,), source="Botes and Siepman, Stocks & Commodities, January 2010",
       zero=lambda of: (Zero(TRUE_RANGE, of["period"]),)),
    ta("VHF", period=Range(28, 2, 400), source="White, Futures, August 1991",
       zero=lambda of: (Zero(change(CLOSE), of["period"]),)),
    ta("ER", period=Range(10, 2, 400), source="Kaufman, Smarter Trading, 1995",
       zero=lambda of: (Zero(change(CLOSE), of["period"]),)),
    ta("LINEARREG_SLOPE", unit=PRICE, period=_PERIOD, levels=(0,), source="The slope of the least squares line"),
    ta("LINEARREG_ANGLE", period=_PERIOD, levels=(0,), source="The slope of the least squares line in degrees",
       note="An angle of prices depends on their unit: it is no comparison between symbols."),
    ta("LINEARREG_INTERCEPT", period=_PERIOD, source="The least squares line at the window's first bar"),
    ta("FRACTAL", left=Range(2, 1, 50, ("leftbars",)), right=Range(2, 1, 50, ("rightbars",)), pane=PRICE_PANE,
       unit=INDEX, outputs=(Output("swinghigh", "marker", "-right"), Output("swinglow", "marker", "-right")),
       source="Williams, Trading Chaos, 1995", note="Known, and told, only when the bars to the right have closed."),
    ta("HT_DCPERIOD", source=_EHLERS, zero=_still),
    ta("HT_DCPHASE", source=_EHLERS, zero=_still),
    ta("HT_PHASOR", unit=PRICE, source=_EHLERS, levels=(0,)),
    ta("HT_SINE", source=_EHLERS, levels=(0,), zero=_still),
    ta("HT_TRENDMODE", source=_EHLERS, zero=_still),
]  # fmt: skip
