"""Volume: what was traded, and at what price."""

from analysis.indicators.entry import PERCENT, PRICE, PRICE_PANE, SHARES, VOLUME_PANE, Range, made, ta
from analysis.indicators.series import CLOSE, HIGH, LOW, TYPICAL, VOLUME, Ago, EachSession, call
from analysis.indicators.undefined import Guarded, Zero, fading

_PERIOD = Range(20, 2, 1000)
_FOSBACK = "Fosback, Stock Market Logic, 1976; from 1000"
_CHAIKIN = "Chaikin, as Achelis, Technical Analysis from A to Z, 2000; a bar of one price has no flow"


def _nothing_traded(of):
    return (Zero(VOLUME, of["period"]),)


ENTRIES = [
    ta("OBV", unit=SHARES,
       source="Granville, New Key to Stock Market Profits, 1963; it starts with the first bar's volume",
       title="On Balance Volume"),
    ta("AD", unit=SHARES, source=_CHAIKIN),
    ta("ADOSC", unit=SHARES, fast=Range(3, 2, 200), slow=Range(10, 2, 400), levels=(0,), source=_CHAIKIN),
    ta("CMF", period=_PERIOD, levels=(0,), source=_CHAIKIN, zero=_nothing_traded),
    ta("EFI", unit=SHARES, period=Range(13, 2, 400), levels=(0,), source="Elder, Trading for a Living, 1993"),
    ta("MARKETFI", source="Williams, Trading Chaos, 1995: the range for each share traded",
       zero=lambda _: (Zero(VOLUME, 1),)),
    ta("NVI", source=_FOSBACK),
    ta("PVI", source=_FOSBACK),
    ta("PVO", unit=PERCENT, fast=Range(12, 2, 400), slow=Range(26, 2, 1000), levels=(0,), fixed={"matype": 1},
       source="StockCharts ChartSchool, Percentage Volume Oscillator: Appel's PPO of volumes",
       zero=lambda of: (Zero(VOLUME, None, fades=fading(1 - 2 / (of["slow"] + 1))),)),
    ta("PVT", unit=SHARES, source="TradingView, Price Volume Trend; it starts with 0"),
    ta("RVOL", period=_PERIOD, levels=(1,), source="The volume against the mean of the bars before",
       zero=lambda of: (Zero(Ago(VOLUME, 1), of["period"]),)),
    ta("WAD", unit=PRICE, source="Achelis, Technical Analysis from A to Z, 2000: Williams's without its volume"),
    ta("SMA", name="volumesma", title="Average Volume", of=(VOLUME,), pane=VOLUME_PANE, unit=SHARES, period=_PERIOD,
       source="The arithmetic mean of the last volumes"),
    ta("VWMA", period=_PERIOD,
       source="TradingView, Volume Weighted Moving Average: the mean of closes weighted by their volume",
       zero=_nothing_traded),
    ta("VWMA", name="vwap", title="Volume Weighted Average Price (rolling)", of=(TYPICAL, VOLUME), period=_PERIOD,
       zero=_nothing_traded,
       source="TradingView, Volume Weighted Moving Average, of typical prices over the last bars"),
    made("vwapsession", lambda _: EachSession(
            Guarded(call("VWAP", HIGH, LOW, CLOSE, VOLUME), Zero(VOLUME, None))),
         title="Volume Weighted Average Price (session)", pane=PRICE_PANE,
         source="Berkowitz, Logue and Noser, Journal of Finance, 1988, of typical prices since the session's open"),
]  # fmt: skip
