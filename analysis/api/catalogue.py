"""Every indicator that there is, with what its parameters may be and what shows that it is right."""

from django.conf import settings
from django.utils import translation
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import wording
from analysis.conformance import behaviour, kept
from analysis.indicators import catalogue, entry
from analysis.indicators.entries import GROUPS
from analysis.indicators.entry import Entry
from market.api.shapes import JSON_ONLY, Shape, shown
from monitoring.queries import Choice, Query

_EXAMPLE = {
    "default": ["sma_20", "rsi_14"],
    "indicators": [{
        "name": "rsi", "title": "Relative Strength Index", "kind": "indicator", "group": "momentum",
        "group_title": "Momentum", "key": "rsi_14", "parameters": [
            {"name": "period", "title": "Period", "default": 14, "least": 2, "most": 1000, "is_whole": True}
        ],
        "inputs": ["close"],
        "outputs": [{"name": "rsi", "title": "Relative Strength Index", "style": "line", "offset": ""}],
        "warm_up": 14, "pane": "own", "unit": "index", "levels": [30, 70],
        "source": "Wilder, New Concepts in Technical Trading Systems, 1978", "library": "RSI", "note": "",
        "certificate": {
            "first_value": 14, "live_difference": 0.0, "looks_ahead": False, "settled": 260,
            "reference": "checked", "reference_difference": 3e-10,
            "behaviour": {"flat": {
                "bars": 400, "with_value": 386, "without": 0, "live_difference": 0.0, "unit_difference": None
            }},
        },
    }],
}  # fmt: skip


class ParameterShape(Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    default = serializers.FloatField()
    least = serializers.FloatField()
    most = serializers.FloatField()
    is_whole = serializers.BooleanField()


class OutputShape(Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    style = serializers.CharField(
        help_text="line, dashed, steps, dots, histogram, upper, lower, cloud, direction, candle or marker."
    )
    offset = serializers.CharField(
        help_text="The parameter by whose bars it is drawn later than it is known, or with a `-` earlier; else empty."
    )


class BehaviourShape(Shape):
    bars = serializers.IntegerField()
    with_value = serializers.IntegerField(help_text="Bars that have a value of every output.")
    without = serializers.IntegerField(help_text="Bars behind the warm-up that lack one.")
    live_difference = serializers.FloatField(help_text="The greatest difference of live and batch.")
    unit_difference = serializers.FloatField(
        allow_null=True,
        help_text="Of a series in another unit the greatest difference from the usual one, as a part of the largest"
        " value; null where a series is in the usual unit, or none has a value.",
    )


class CertificateShape(Shape):
    first_value = serializers.IntegerField(allow_null=True, help_text="The bar, from 0, of the first value.")
    live_difference = serializers.FloatField(help_text="The greatest difference of live and batch, at every bar.")
    looks_ahead = serializers.BooleanField(help_text="Whether cutting the future changes a value.")
    settled = serializers.IntegerField(
        allow_null=True, help_text="Bars after which another beginning matters no more; null where it always does."
    )
    reference = serializers.CharField(help_text="`checked` against a second formula, or that it was not.")
    reference_difference = serializers.FloatField(
        allow_null=True, help_text="The greatest from a second formula without TA-Lib, as a part of the largest value."
    )
    behaviour = serializers.DictField(
        child=BehaviourShape(), help_text=f"On series that are {', '.join(behaviour.SERIES)}, by these names."
    )


class EntryShape(Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.CharField(help_text=f"{entry.INDICATOR}, {entry.MATHEMATICS} or {entry.PATTERN}.")
    group = serializers.ChoiceField(sorted(set(GROUPS.values())))
    group_title = serializers.CharField()
    key = serializers.CharField(help_text="With its defaults; others are written likewise: `macd_5_35_5`.")
    parameters = ParameterShape(many=True)
    inputs = serializers.ListField(child=serializers.CharField())
    outputs = OutputShape(many=True)
    warm_up = serializers.IntegerField(help_text="Bars before the first value, with its defaults.")
    pane = serializers.ChoiceField([entry.PRICE_PANE, entry.VOLUME_PANE, entry.OWN_PANE])
    unit = serializers.ChoiceField([entry.PRICE, entry.PERCENT, entry.SHARES, entry.INDEX])
    levels = serializers.ListField(child=serializers.FloatField(), help_text="Lines that a chart draws.")
    source = serializers.CharField(help_text="Where the formula stands, and the convention where sources differ.")
    library = serializers.CharField(help_text="The function of TA-Lib; empty where it is made of several, or our own.")
    note = serializers.CharField()
    certificate = CertificateShape()


class CatalogueShape(Shape):
    default = serializers.ListField(
        child=serializers.CharField(), help_text="What `indicators=all` means on 1d and longer."
    )
    indicators = EntryShape(many=True)


class CatalogueQuery(Query):
    language = Choice([code for code, _ in settings.LANGUAGES], default="en", help_text="Of the titles.")


class Catalogue(APIView):
    """Every indicator: parameters with ranges, outputs, warm-up, drawing, source and certificate."""

    renderer_classes = JSON_ONLY

    @extend_schema(
        operation_id="indicator_catalogue",
        summary="The catalogue of indicators",
        parameters=[CatalogueQuery],
        responses={(200, "application/json"): CatalogueShape},
        examples=shown(_EXAMPLE),
    )
    def get(self, request) -> Response:
        with translation.override(CatalogueQuery.read(request)["language"]):
            told = [_told(each) for each in catalogue.ENTRIES.values()]
        return Response({"default": list(catalogue.DEFAULTS), "indicators": told})


def _told(each: Entry) -> dict:
    indicator = each.with_defaults()
    certificate = kept.certificates()[each.name]
    is_checked = certificate["reference_difference"] is not None
    return {
        "name": each.name,
        "title": wording.title(each),
        "kind": each.kind,
        "group": GROUPS[each.name],
        "group_title": wording.group(each),
        "key": indicator.key,
        "parameters": [
            {
                "name": name,
                "title": wording.parameter(name),
                "default": of.default,
                "least": of.least,
                "most": of.most,
                "is_whole": of.is_whole,
            }
            for name, of in each.parameters.items()
        ],
        "inputs": indicator.inputs,
        "outputs": [
            {"name": of.name, "title": wording.output(each, of.name), "style": of.style, "offset": of.offset}
            for of in each.outputs
        ],
        "warm_up": indicator.warm_up,
        "pane": each.pane,
        "unit": each.unit,
        "levels": each.levels,
        "source": each.source,
        "library": each.library,
        "note": each.note,
        "certificate": {**certificate, "reference": "checked" if is_checked else kept.NOT_CHECKED},
    }
