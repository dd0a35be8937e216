"""Several symbols in one analysis: how they are asked for, and told. One that fails does so alone, and is explained."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from analysis import periods
from analysis.api import defaults
from analysis.api.indicators import LONGEST, checked, sentence
from analysis.indicators import catalogue, frames
from analysis.indicators.frames import TooShort
from market import bars, intervals, symbols
from market.actions.adjustments import ADJUSTMENTS
from market.api import tags
from market.api.many import UNKNOWN, unknown
from market.api.queries import MAX_SYMBOLS
from market.api.shapes import Shape
from market.bars import NoBars
from market.intervals import DAY
from monitoring.jobs import chunks
from monitoring.queries import Choice, Text
from monitoring.submissions import Body

MOST_VALUES = 1_000_000  # in one answer
VALUE_BYTES = 20  # of one as JSON, at most
_NAME = {"type": "string", "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}

Told = dict[str, Any]


@extend_schema_field({"oneOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]})
class Names(serializers.Field):
    """Names of indicators, in a list or by commas in a text."""

    default_error_messages = {
        "invalid": 'They must be names, as "rsi,sma_100" or ["rsi", "sma_100"].',
        "too_long": f"They have {{count}} characters together; {LONGEST} are allowed.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        names = data.split(",") if isinstance(data, str) else data
        if (
            not isinstance(names, list)
            or not names
            or not all(isinstance(each, str) and each.strip() for each in names)
        ):
            self.fail("invalid")
        if (count := len(",".join(names))) > LONGEST:
            self.fail("too_long", count=count)
        return checked([each.strip() for each in names])

    def to_representation(self, value: list[str]) -> str:
        return ",".join(value)


def tickers(most: int) -> serializers.ListField:
    """The field that names the symbols."""
    return serializers.ListField(
        child=Text(max_length=symbols.LONGEST),
        allow_empty=False,
        max_length=most,
        help_text=f"Tickers, in any case, each once; {most} at most. One that we do not know fails alone.",
    )


class SymbolsBody(Body):
    """Of which symbols, and over what."""

    symbols = tickers(MAX_SYMBOLS)
    period = Choice(periods.PERIODS, default=defaults.PERIOD, help_text="Counted back from each last bar.")
    interval = Choice(list(intervals.ALL), default=DAY.name)
    adjusted = Choice(ADJUSTMENTS, default="split")
    indicators = Names(
        default=[defaults.INDICATORS],
        help_text="`all` is the default set; or names, in a list or by commas: `rsi`, `sma_100`, `macd_5_35_5`.",
    )

    def validate_symbols(self, said: list[str]) -> list[str]:
        """In capitals, as the answer names them."""
        asked = [symbols.folded(text) for text in said]
        seen: set[str] = set()
        if twice := list(dict.fromkeys(text for text in asked if text in seen or seen.add(text))):
            raise ValidationError(f"Named more than once: {', '.join(twice[:5])}. Name each symbol once.")
        return asked


class FaultShape(Shape):
    code = serializers.CharField(help_text=f"{UNKNOWN}, {NoBars.code} or {TooShort.code}.")
    detail = serializers.CharField()


class SeveralShape(Shape):
    timestamp = serializers.DateTimeField()
    errors = serializers.DictField(child=FaultShape(), help_text="Why a symbol has no result.")
    analyzed_count = serializers.IntegerField(help_text="Symbols that have a result.")
    execution_time = serializers.FloatField(help_text="Seconds that reading and computing took.")
    success_rate = serializers.FloatField(help_text="Those of all that were asked for, in percent.")


def analysed(
    asked: Told,
    together: int,
    tell: Callable[[bars.Series, bars.Basis], Any],
    kept: Callable[[str, bars.Basis], bytes | None] = lambda ticker, basis: None,
) -> tuple[dict[str, Any], dict[str, Told]]:
    """What is told of each symbol that was asked for, in that order, and why of some there is nothing.

    together: symbols whose bars are read at once, as arrays. tell: of a series and what it stands upon; may raise
    NoBars and TooShort. kept: what is told of a ticker already, as JSON, whose bars need not be read. Raises
    ValidationError where they would be too many values for one answer.
    """
    found = symbols.found(asked["symbols"])
    wanted = list(dict.fromkeys(found[text].ticker for text in asked["symbols"] if text in found))
    outputs = sum(len(each.outputs) for each in catalogue.chosen(asked["indicators"], asked["interval"]))
    told: dict[str, Any] = {}
    faults: dict[str, Told] = {}
    room = MOST_VALUES
    for part in chunks(wanted, together):
        bases = {ticker: each.basis for ticker, each in tags.standings(part, asked).items()}
        bodies = {ticker: body for ticker, basis in bases.items() if (body := kept(ticker, basis)) is not None}
        left = {ticker: basis for ticker, basis in bases.items() if ticker not in bodies}
        held = bars.series_of_many(left, interval=asked["interval"], adjusted=asked["adjusted"]).values()
        room -= sum(frames.size(each, asked["period"], outputs) for each in held)
        room -= sum(map(len, bodies.values())) // VALUE_BYTES
        if room < 0:
            raise _too_many(len(wanted), outputs)
        told |= {ticker: orjson.Fragment(body) for ticker, body in bodies.items()}
        for series in held:
            try:
                told[series.ticker] = tell(series, bases[series.ticker])
            except (NoBars, TooShort) as fault:
                faults[series.ticker] = {"code": fault.code, "detail": sentence(fault)}
    results = {text: told.get(found[text].ticker) if text in found else None for text in asked["symbols"]}
    faulty = {text: faults[row.ticker] for text, row in found.items() if row.ticker in faults}
    return results, faulty | dict(unknown(text for text in asked["symbols"] if text not in found))


def figures(results: Mapping[str, Told | None], seconds: float) -> dict[str, int | float]:
    """What an answer says of itself."""
    count = sum(each is not None for each in results.values())
    rate = round(100 * count / len(results), 1)
    return {"analyzed_count": count, "execution_time": round(seconds, 4), "success_rate": rate}


def _too_many(count: int, outputs: int) -> ValidationError:
    told = (
        f"{count} symbols with {outputs} series each over this period are more than {MOST_VALUES:,} values; ask for "
        "a shorter period, fewer indicators or fewer symbols."
    )
    return ValidationError({"symbols": [ErrorDetail(told, "too_many_values")]})
