"""Momentum: how fast a price moves, and where it stands within its reach."""

from analysis.indicators.entry import PERCENT, PRICE, Range, made, ta
from analysis.indicators.series import (
    CLOSE,
    HIGH,
    LOW,
    OPEN,
    RANGE,
    REACH,
    TRUE_RANGE,
    TYPICAL,
    VOLUME,
    Ago,
    Formula,
    call,
    change,
)
from analysis.indicators.undefined import Defined, Guarded, Zero, fading

_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
_LANE = "Lane, Stocks & Commodities, May 1984; smoothed by plain means"
_PERIOD = Range(14, 2, 1000)


# 1 of a bar that closed above the one before, else 0.
_ROSE = Formula(lambda moved: ((moved > 0) + 0 * moved,), (change(CLOSE),))


def _never(motion):
    """0/0 while there was no motion since the first bar."""
    return lambda _: (Zero(motion, None),)


def _by_wilder(of):
    """0/0 while the close never changed, or nothing is left of its changes."""
    return (Zero(change(CLOSE), None, fades=fading(1 - 1 / of["period"])),)


def _twice(motion, *periods):
    """The same of what is smoothed by an EMA of each period."""
    return lambda of: (Zero(motion, None, fades=fading(*(1 - 2 / (of[each] + 1) for each in periods))),)


def _past_close(of):
    return (Zero(Ago(CLOSE, of["period"]), 1),)


def _kdj(of):
    raw = call("STOCHF", HIGH, LOW, CLOSE, fastk_period=of["period"], fastd_period=1)
    k = Defined(Guarded(raw, Zero(REACH, of["period"] - 1)), "RMA", of["slowk"])
    return Formula(lambda k, d: (k, d, 3 * k - 2 * d), (k, Defined(k, "RMA", of["slowd"])))


ENTRIES = [
    ta("RSI", period=_PERIOD, levels=(30, 70), source=_WILDER, zero=_by_wilder),
    ta("STOCH", period=Range(14, 2, 1000, ("fastk_period",)), slowk=Range(3, 1, 100), slowd=Range(3, 1, 100),
       levels=(20, 80), source=_LANE, zero=lambda of: (Zero(
            REACH, of["period"] - 1, {0: of["slowk"] - 1, 1: of["slowk"] + of["slowd"] - 2}),)),
    ta("STOCHF", period=Range(14, 2, 1000, ("fastk_period",)), fastd=Range(3, 1, 100), levels=(20, 80), source=_LANE,
       zero=lambda of: (Zero(REACH, of["period"] - 1, {1: of["fastd"] - 1}),)),
    ta("STOCHRSI", period=_PERIOD, fastk=Range(14, 2, 1000), fastd=Range(3, 1, 100), levels=(20, 80),
       source="Chande and Kroll, The New Technical Trader, 1994",
       zero=lambda of: (Zero(change(call("RSI", CLOSE, timeperiod=of["period"])), of["fastk"] - 1,
                             {1: of["fastd"] - 1}),)),
    made("kdj", _kdj, "k", "d", "j", title="KDJ Stochastic", period=Range(9, 2, 1000), slowk=Range(3, 1, 100),
         slowd=Range(3, 1, 100), levels=(20, 80), library="KDJ",
         source="Tongdaxin's KDJ: Lane's stochastic, each line smoothed as Wilder does; J = 3 K - 2 D",
         note="Behind a window without reach, which has no value, it goes on from where it stood before."),
    ta("WILLR", period=_PERIOD, levels=(-80, -20), source="Williams, How I Made One Million Dollars, 1973",
       zero=lambda of: (Zero(REACH, of["period"] - 1),)),
    ta("CCI", period=Range(20, 2, 1000), levels=(-100, 100), source="Lambert, Commodities, October 1980",
       zero=lambda of: (Zero(change(TYPICAL), of["period"] - 1),)),
    ta("CMO", period=_PERIOD, levels=(-50, 50),
       source="Chande and Kroll, The New Technical Trader, 1994, smoothed as Wilder does (TA-Lib)",
       zero=_by_wilder),
    ta("CMOU", period=_PERIOD, levels=(-50, 50), source="Chande and Kroll, The New Technical Trader, 1994",
       zero=lambda of: (Zero(change(CLOSE), of["period"]),)),
    ta("MACD", unit=PRICE, fast=Range(12, 2, 400), slow=Range(26, 2, 1000), signal=Range(9, 1, 400),
       source="Appel, Technical Analysis, 2005; both averages begin together (TA-Lib)"),
    ta("APO", unit=PRICE, fast=Range(12, 2, 400), slow=Range(26, 2, 1000), source="Appel; EMA of fast less EMA of slow",
       fixed={"matype": 1}),
    ta("PPO", unit=PERCENT, fast=Range(12, 2, 400), slow=Range(26, 2, 1000),
       source="Appel; APO in percent of the slow average",
       fixed={"matype": 1}, zero=_never(CLOSE)),
    ta("MOM", unit=PRICE, period=Range(10, 1, 1000), levels=(0,), source="The close less the close some bars ago"),
    ta("ROC", unit=PERCENT, period=Range(10, 1, 1000), levels=(0,), title="Rate of Change", zero=_past_close,
       source="100 (close / close some bars ago - 1)"),
    ta("TRIX", unit=PERCENT, period=Range(15, 2, 300), levels=(0,), title="TRIX",
       source="Hutson, Stocks & Commodities, 1983",
       zero=_never(CLOSE)),
    ta("TSI", long=Range(25, 1, 400, ("firstperiod",)), short=Range(13, 1, 400, ("secondperiod",)), levels=(0,),
       source="Blau, Stocks & Commodities, November 1991", zero=_twice(change(CLOSE), "long", "short")),
    ta("SMI", period=Range(13, 2, 400), fast=Range(2, 1, 100), slow=Range(25, 1, 400), signal=Range(9, 1, 200),
       levels=(-40, 40), source="Blau, Stocks & Commodities, January 1993", zero=_twice(REACH, "slow", "fast")),
    ta("ULTOSC", short=Range(7, 1, 400, ("timeperiod1",)), middle=Range(14, 1, 400, ("timeperiod2",)),
       long=Range(28, 1, 400, ("timeperiod3",)), levels=(30, 70),
       source="Williams, Stocks & Commodities, August 1985",
       zero=lambda of: (Zero(TRUE_RANGE, min(of["short"], of["middle"], of["long"])),)),
    ta("AO", unit=PRICE, fast=Range(5, 1, 200), slow=Range(34, 2, 400), levels=(0,),
       source="Williams, New Trading Dimensions, 1998: means of (high + low) / 2"),
    ta("AC", unit=PRICE, fast=Range(5, 1, 200), slow=Range(34, 2, 400), signal=Range(5, 1, 200), levels=(0,),
       source="Williams, New Trading Dimensions, 1998: AO less its mean"),
    ta("BOP", source="Livshin, Stocks & Commodities, August 2001", levels=(0,), zero=lambda _: (Zero(RANGE, 1),)),
    ta("COPPOCK", weights=Range(10, 1, 200, ("wmaperiod",)), short=Range(11, 1, 400, ("roc1period",)),
       long=Range(14, 1, 400, ("roc2period",)), levels=(0,), source="Coppock, Barron's, October 1962"),
    ta("DPO", unit=PRICE, period=Range(20, 2, 400), levels=(0,),
       source="Achelis, Technical Analysis from A to Z, 2000: the close half a period ago less the mean"),
    ta("ERI", unit=PRICE, period=Range(13, 2, 400), levels=(0,), source="Elder, Trading for a Living, 1993"),
    ta("FOSC", unit=PERCENT, period=Range(5, 2, 400), levels=(0,),
       source="Chande and Kroll, The New Technical Trader, 1994",
       zero=lambda _: (Zero(CLOSE, 1),)),
    ta("IMI", period=_PERIOD, levels=(30, 70), source="Chande and Kroll, The New Technical Trader, 1994",
       zero=lambda of: (Zero(call("SUB", CLOSE, OPEN), of["period"]),)),
    ta("QSTICK", unit=PRICE, period=Range(10, 1, 400), levels=(0,),
       source="Chande and Kroll, The New Technical Trader, 1994"),
    ta("MFI", period=_PERIOD, levels=(20, 80), source="Quong and Soudack, Stocks & Commodities, March 1989",
       zero=lambda of: (Zero(call("MULT", change(TYPICAL), VOLUME), of["period"]),)),
    ta("PERCENTRANK", unit=PERCENT, period=Range(100, 2, 1000),
       source="Connors Research, An Introduction to ConnorsRSI, 2012: closes before that are below, in percent"),
    made("psychological", lambda of: Formula(
            lambda rises: (100 * rises / of["period"],),
            (call("SUM", _ROSE, timeperiod=of["period"]),)),
         title="Psychological Line", unit=PERCENT, period=Range(12, 2, 400), levels=(25, 75),
         source="The part of the last bars that rose, in percent"),
]  # fmt: skip
