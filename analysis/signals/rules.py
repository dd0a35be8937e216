"""The rules of averages, oscillators, bands, records, volume and ratings. Pure. To add one, read its neighbour."""

from analysis.signals.rule import DOWN, NEITHER, UP, Rule

_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
_APPEL = "Appel, Technical Analysis, 2005"
_BOLLINGER = "Bollinger, Bollinger on Bollinger Bands, 2001"
_CARTER = "Carter, Mastering the Trade, 2005: the bands lie within Keltner's channel of 1.5 average true ranges"
_CARDWELL = "Cardwell, in Brown, Technical Analysis for the Trading Professional, 1999"
_MURPHY = "Murphy, Technical Analysis of the Financial Markets, 1999"
_SEBAN = "Seban, as TradingView publishes it"
_HOSODA = "Hosoda, 1969; Elliott, Ichimoku Charts, 2007"
_GEORGE = "George and Hwang, The 52-Week High and Momentum Investing, Journal of Finance, 2004"
_RATING = "TradingView, Technical Ratings"
_CONFIRMED = "Its bar is the one that confirms the second pivot, five bars later."
_DRAWN = "The cloud of a bar is what was known 26 bars before, as charts draw it."
_SQUEEZED = (
    "bbands_20_2.upperband{ago} < keltner_20_20_1.5.upperband{ago} and "
    "bbands_20_2.lowerband{ago} > keltner_20_20_1.5.lowerband{ago}"
)
_WAS_SQUEEZED = _SQUEEZED.format(ago="[1]")


def _both(
    name: str, titles: tuple[str, str], texts: tuple[str, str], source: str, note: str = "", *, every: bool = False
) -> list[Rule]:
    """One upwards and one downwards. name: with {} for up and down."""
    return [
        Rule(name=name.format(way), title=title, direction=direction, text=text, source=source, note=note, every=every)
        for way, title, direction, text in zip(("up", "down"), titles, (UP, DOWN), texts, strict=True)
    ]


RULES = [
    Rule(name="golden_cross", title="Golden Cross", direction=UP, text="sma_50 crosses_up sma_200", source=_MURPHY),
    Rule(name="death_cross", title="Death Cross", direction=DOWN, text="sma_50 crosses_down sma_200", source=_MURPHY),
    *_both("average_cross_{}", ("Close above its 200-bar average", "Close below its 200-bar average"),
           ("close crosses_up sma_200", "close crosses_down sma_200"), _MURPHY),
    Rule(name="rsi_oversold", title="RSI falls below 30", direction=UP, text="rsi_14 crosses_down 30", source=_WILDER,
         note="What has fallen so fast is said to recover."),
    Rule(name="rsi_overbought", title="RSI rises above 70", direction=DOWN, text="rsi_14 crosses_up 70",
         source=_WILDER, note="What has risen so fast is said to fall back."),
    *_both("rsi_leaves_{}", ("RSI comes back above 30", "RSI comes back below 70"),
           ("rsi_14 crosses_up 30", "rsi_14 crosses_down 70"), _WILDER),
    *_both("rsi_divergence_{}", ("RSI divergence at a low", "RSI divergence at a high"),
           ("rsidivergence_14_5_5.bullish = 1", "rsidivergence_14_5_5.bearish = 1"), _CARDWELL, _CONFIRMED, every=True),
    *_both("macd_cross_{}", ("MACD crosses above its signal line", "MACD crosses below its signal line"),
           ("macd_12_26_9 crosses_up macd_12_26_9.macdsignal", "macd_12_26_9 crosses_down macd_12_26_9.macdsignal"),
           _APPEL),
    Rule(name="bollinger_squeeze", title="Bollinger squeeze begins", direction=NEITHER,
         text=_SQUEEZED.format(ago=""), source=_CARTER),
    *_both("bollinger_break_{}", ("Close above the Bollinger bands", "Close below the Bollinger bands"),
           ("close crosses_up bbands_20_2.upperband", "close crosses_down bbands_20_2.lowerband"), _BOLLINGER),
    *_both("squeeze_break_{}", ("Break upwards out of a squeeze", "Break downwards out of a squeeze"),
           (f"close crosses_up bbands_20_2.upperband and {_WAS_SQUEEZED}",
            f"close crosses_down bbands_20_2.lowerband and {_WAS_SQUEEZED}"), _CARTER),
    Rule(name="year_high", title="52-week high", direction=UP, text="high > high_52w[1]", source=_GEORGE,
         note="Above the highest of the 52 weeks before; of highs on bars in a row the first."),
    Rule(name="year_low", title="52-week low", direction=DOWN, text="low < low_52w[1]", source=_GEORGE,
         note="Below the lowest of the 52 weeks before; of lows on bars in a row the first."),
    *_both("gap_{}", ("Gap up", "Gap down"), ("low > high[1]", "high < low[1]"), _MURPHY,
           "The whole bar stands beyond the one before.", every=True),
    *_both("volume_spike_{}", ("Volume spike with a rise", "Volume spike with a fall"),
           ("rvol_20 >= 2 and close > close[1]", "rvol_20 >= 2 and close < close[1]"), _MURPHY,
           "Twice the mean volume of the 20 bars before, or more."),
    *_both("supertrend_{}", ("SuperTrend turns up", "SuperTrend turns down"),
           ("supertrend_10_3.trend crosses_up 0", "supertrend_10_3.trend crosses_down 0"), _SEBAN),
    *_both("ichimoku_cross_{}", ("Ichimoku: conversion line above the base line",
                                 "Ichimoku: conversion line below the base line"),
           ("ichimoku_9_26_52.conversion crosses_up ichimoku_9_26_52.base",
            "ichimoku_9_26_52.conversion crosses_down ichimoku_9_26_52.base"), _HOSODA),
    *_both("ichimoku_cloud_{}", ("Ichimoku: close above the cloud", "Ichimoku: close below the cloud"),
           ("close > ichimoku_9_26_52.spana[26] and close > ichimoku_9_26_52.spanb[26]",
            "close < ichimoku_9_26_52.spana[26] and close < ichimoku_9_26_52.spanb[26]"), _HOSODA, _DRAWN),
    *_both("adx_trend_{}", ("A trend upwards sets in (ADX)", "A trend downwards sets in (ADX)"),
           ("adx_14 crosses_up 25 and plusdi_14 > minusdi_14", "adx_14 crosses_up 25 and plusdi_14 < minusdi_14"),
           _WILDER),
    *_both("rating_{}", ("Technical rating: buy", "Technical rating: sell"),
           ("rating.all > 0.1", "rating.all < -0.1"), _RATING),
    *_both("rating_strong_{}", ("Technical rating: strong buy", "Technical rating: strong sell"),
           ("rating.all > 0.5", "rating.all < -0.5"), _RATING),
]  # fmt: skip
