"""A symbol's indicators over a period."""

from collections.abc import Sequence
from functools import lru_cache

from django.http import HttpRequest, HttpResponse, QueryDict
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.settings import api_settings

from analysis import periods
from analysis.api import defaults
from analysis.indicators import catalogue
from analysis.indicators.frames import TooShort
from analysis.technical import answers
from analysis.technical.answers import Asked
from market import intervals, prices, symbols
from market.actions.adjustments import ADJUSTMENTS
from market.api import tags
from market.api.queries import TICKER, known, why_unknown
from market.api.ready import JSON, Ready
from market.api.shapes import JSON_ONLY, SOURCED, VERSION, Shape, Versioned, shown
from market.api.tags import Standing
from market.intervals import DAY
from monitoring.queries import Choice, Query, Text

READ = 1024  # what is asked for, of so many addresses, is read once
MOST_OTHERS = 5  # symbols that one is measured against, each of which is read
_NOTHING_COMPARED = "None of these indicators is measured against another symbol; there are {}."
FORMAT = api_settings.URL_FORMAT_OVERRIDE
LONGEST = 1000  # characters of all names
INDICATORS = {
    "symbol": "AAPL", "interval": DAY.name, "period": "1d", "as_of": "2012-09-04T00:00:00Z",
    "session_date": "2012-09-04", "as_of_precision": "day",
    "adjustment": "split", "is_final": True, **SOURCED, "version": VERSION, "times": ["2012-09-04T00:00:00Z"],
    "indicators": {
        "sma_20": {
            "name": "sma", "parameters": {"period": 20}, "values": {"sma": [650.2066]}, "latest": {"sma": 650.2066},
        }
    },
    "reasons": {},
}  # fmt: skip


class IndicatorSeries(Shape):
    name = serializers.CharField()
    parameters = serializers.DictField(child=serializers.FloatField())
    pane = serializers.CharField(required=False, help_text="Where a chart draws it: over the `price`, or in its `own`.")
    values = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField(allow_null=True)),
        help_text="One series for each output, as long as `times`; null before its first value.",
    )
    latest = serializers.DictField(child=serializers.FloatField(allow_null=True))
    unit = serializers.CharField(required=False, help_text="Of its values: price, percent, volume or index.")
    levels = serializers.ListField(
        required=False, child=serializers.FloatField(), help_text="Lines that a chart draws."
    )
    styles = serializers.DictField(
        required=False,
        child=serializers.CharField(),
        help_text="How a chart draws each output, as the catalogue has it.",
    )
    offsets = serializers.DictField(
        required=False,
        child=serializers.IntegerField(),
        help_text="Bars by which a chart draws an output later than it is known, or below 0 earlier; others are at 0.",
    )
    against = serializers.CharField(required=False, help_text="The ticker that it is measured against, where it is.")


class AgainstShape(Versioned):
    as_of = serializers.DateTimeField(allow_null=True, help_text="The opening of its last bar; null without bars.")
    session_date = serializers.DateField(allow_null=True)
    is_final = serializers.BooleanField(allow_null=True)
    source = serializers.CharField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="Indicators")
class IndicatorsShape(Versioned):
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(intervals.CHOICES)
    period = serializers.ChoiceField(periods.PERIODS)
    as_of = serializers.DateTimeField(allow_null=True, help_text="The opening of the last bar; null without bars.")
    session_date = serializers.DateField(allow_null=True, help_text="The exchange's own date of the last bar.")
    as_of_precision = serializers.ChoiceField([prices.SECOND, prices.DAY])
    is_final = serializers.BooleanField(allow_null=True, help_text="False while the last bar still forms.")
    source = serializers.CharField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    adjustment = serializers.ChoiceField(ADJUSTMENTS)
    times = serializers.ListField(child=serializers.DateTimeField())
    indicators = serializers.DictField(child=IndicatorSeries(), help_text="By name and parameters: `sma_20`.")
    reasons = serializers.DictField(
        child=serializers.CharField(),
        help_text="Why an indicator has no newest value, where it is not for want of bars.",
    )
    against = serializers.DictField(
        required=False,
        child=AgainstShape(),
        help_text="By ticker, the bars of those that some of them are measured against.",
    )


@extend_schema_field({"type": "array", "items": {"type": "string"}, "minItems": 1, "default": ["all"]})
class Names(Text):
    """Names of indicators, by commas or one by one."""

    are_many = True


class IndicatorQuery(Query):
    period = Choice(periods.PERIODS, default=defaults.PERIOD, help_text="Counted back from the last bar.")
    interval = Choice(list(intervals.ALL), default=DAY.name)
    adjusted = Choice(ADJUSTMENTS, default="split")
    indicators = Names(
        default=defaults.INDICATORS,
        max_length=LONGEST,
        help_text="`all` is the default set; or names: `rsi`, `sma_100`, `macd_5_35_5`.",
    )

    against = Text(
        default="",
        max_length=symbols.LONGEST,
        help_text="The symbol that `beta`, `correl` and `relativestrength` are measured against; one that names "
        "another, as `beta_20~^GSPC`, is measured against that.",
    )

    def validate(self, attrs: dict) -> dict:
        """`indicators` as keys have them, with today's tickers, and `others`, which these are."""
        names = [catalogue.spelled(name, symbols.folded(attrs["against"])) for name in attrs["indicators"].split(",")]
        if attrs["against"] and not catalogue.others(names):
            raise ValidationError({"against": [_NOTHING_COMPARED.format(", ".join(catalogue.COMPARED))]})
        if len(catalogue.others(names)) > MOST_OTHERS:
            raise ValidationError({"indicators": [f"They name more than {MOST_OTHERS} other symbols."]})
        try:
            catalogue.chosen(names)
        except catalogue.UnknownIndicator as error:
            raise ValidationError({"indicators": [f"There is {error}."]}) from error
        return {**attrs, "indicators": names}


def sentence(error: Exception) -> str:
    """What an error says, as one."""
    said = str(error)
    return f"{said[0].upper()}{said[1:]}."


def checked(names: list[str]) -> list[str]:
    """The same, of several symbols; raises ValidationError where the catalogue has not one of them."""
    if others := catalogue.others(map(catalogue.spelled, names)):
        raise ValidationError(f"One symbol at a time is measured against another, such as {others[0]}: ask by GET.")
    try:
        catalogue.chosen(names)
    except catalogue.UnknownIndicator as error:
        raise ValidationError(f"There is {error}.") from error
    return names


class Indicators(Ready):
    """One symbol's indicators over a period; each value counts the whole history."""

    renderer_classes = JSON_ONLY
    problems = {400: (TooShort.code,), 404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="indicators_retrieve",
        summary="Indicators of a symbol",
        parameters=[TICKER, IndicatorQuery],
        responses={(200, "application/json"): IndicatorsShape},
        examples=shown(INDICATORS),
    )
    def get(self, request, symbol: str) -> HttpResponse:
        query = IndicatorQuery.read(request)
        ticker = known(symbol)
        query, others = _with_tickers(query)
        standing, *compared = tags.standings(list(dict.fromkeys([ticker, *others])), query).values()
        if ticker in others:
            compared = [standing, *compared]
        try:
            answer = _answer(request, _asked(ticker, query), standing, compared)
        except TooShort as error:
            raise ValidationError({"indicators": [ErrorDetail(sentence(error), error.code)]}) from error
        return answer

    @classmethod
    def at_once(cls, request: HttpRequest, symbol: str) -> HttpResponse | None:
        """Of a symbol by its ticker of today, which has bars: then no other can be meant."""
        if (read := _read(symbol, request.META.get("QUERY_STRING", ""))) is None:
            return None
        asked, query = read
        standing = tags.standing(asked.ticker, query)
        if not standing.basis.versions[0]:
            return None
        try:
            return _answer(request, asked, standing)
        except TooShort:
            return None  # which is told as every refusal is


@lru_cache(maxsize=READ)
def _read(symbol: str, said: str) -> tuple[Asked, dict] | None:
    """What a path and a query ask for; None where there is more to say of it."""
    params = QueryDict(said)
    if FORMAT in params or not (readings := symbols.readings(symbol)):
        return None
    try:
        query = IndicatorQuery.of(params)
    except ValidationError:
        return None
    return None if catalogue.others(query["indicators"]) else (_asked(readings[0], query), query)


def _with_tickers(query: dict) -> tuple[dict, list[str]]:
    """A query whose names say today's tickers of the others, and these. Raises ValidationError of one that we lack."""
    texts = catalogue.others(query["indicators"])
    known = symbols.tickers(texts) if texts else {}
    if missing := [text for text in texts if text not in known]:
        why = why_unknown(missing[0], symbols.near(missing[0]))
        raise ValidationError({"against": [ErrorDetail(why, "unknown_symbol")]})
    names = [catalogue.against(name, known) for name in query["indicators"]]
    return {**query, "indicators": names}, list(dict.fromkeys(known.values()))


def _asked(ticker: str, query: dict) -> Asked:
    return Asked(ticker, query["period"], query["interval"], query["adjusted"], query["indicators"])


def _answer(
    request: HttpRequest | Request, asked: Asked, standing: Standing, others: Sequence[Standing] = ()
) -> HttpResponse:
    """What is kept, or computed, with its tag; or that the client has it. others: what those stand upon that some names
    are measured against. Raises TooShort.
    """
    made = [catalogue.CONVENTION, *catalogue.defaults(asked.interval), *((each.ticker, each.packed) for each in others)]
    bases = {each.ticker: each.basis for each in others}
    address, versions = request.build_absolute_uri(), answers.versions(standing.basis, bases)
    tag = standing.named(address, JSON_ONLY[0].format, versions, made=made)
    if unchanged := tags.unchanged(request, tag):
        return unchanged
    found = answers.told(asked, standing.basis, others=bases)
    if found.version != versions:
        tag = standing.named(address, JSON_ONLY[0].format, found.version, made=made)
    return HttpResponse(found.body, content_type=JSON, headers=tags.head(tag))
