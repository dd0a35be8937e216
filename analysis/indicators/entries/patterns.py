"""Candlestick patterns: 100 where one is seen that rises, -100 one that falls, 0 where there is none."""

from analysis.indicators.entry import INDEX, PATTERN, PRICE_PANE, Output, Range, ta
from analysis.indicators.talib import functions

# Books differ in what is long, short or near; what counts here is said in words where it is computed.
_SOURCE = "TA-Lib, src/ta_func/ta_{}.c: the conditions in its comment, by the library's measures of body and shadow"
_INTO_THE_BODY = {
    "CDLABANDONEDBABY": 0.3, "CDLDARKCLOUDCOVER": 0.5, "CDLEVENINGDOJISTAR": 0.3, "CDLEVENINGSTAR": 0.3,
    "CDLMATHOLD": 0.5, "CDLMORNINGDOJISTAR": 0.3, "CDLMORNINGSTAR": 0.3,
}  # fmt: skip


def _pattern(function: str):
    depth = _INTO_THE_BODY.get(function)
    ranges = {} if depth is None else {"penetration": Range(depth, 0.0, 1.0)}
    outputs = (Output(function.lower(), "marker"),)
    return ta(
        function, kind=PATTERN, pane=PRICE_PANE, unit=INDEX, source=_SOURCE.format(function), outputs=outputs, **ranges
    )


ENTRIES = [_pattern(function) for function in functions.get_function_groups()["Pattern Recognition"]]
