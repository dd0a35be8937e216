"""The signals of a symbol as a chart marks them: no more of each than a mark says."""

from django.utils import translation
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import wording
from analysis.api.signals.shapes import LanguageQuery
from analysis.indicators.entry import PATTERN
from analysis.models import Signal
from analysis.seen import asked
from analysis.signals.catalogue import RULES
from analysis.signals.rule import NEITHER
from market.api.queries import TICKER, row_of
from market.api.shapes import JSON_ONLY, Shape, shown
from market.intervals import DAY

MOST = 500
# A candle that looks like a pattern is seen on the chart itself.
_MARKED = [name for name, rule in RULES.items() if rule.of != PATTERN and rule.direction != NEITHER]


class MarkShape(Shape):
    session_date = serializers.DateField()
    direction = serializers.ChoiceField(Signal.Direction.choices)
    rule = serializers.CharField()
    title = serializers.CharField(help_text="Of the rule, in the language asked for.")


@extend_schema_serializer(component_name="SignalMarks")
class MarksShape(Shape):
    symbol = serializers.CharField()
    marks = MarkShape(many=True, help_text="The newest first.")


class Marks(APIView):
    """A symbol's newest daily signals that point up or down and hold by the bars as they are now, patterns left out."""

    renderer_classes = JSON_ONLY
    problems = {404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="signal_marks",
        summary="Signals as marks of a chart",
        parameters=[TICKER, LanguageQuery],
        responses={(200, "application/json"): MarksShape},
        examples=shown(
            {
                "symbol": "AAPL",
                "marks": [
                    {
                        "session_date": "2012-08-14",
                        "direction": "up",
                        "rule": "macd_cross_up",
                        "title": "MACD crosses its signal line upwards",
                    }
                ],
            }
        ),
    )
    def get(self, request, symbol: str) -> Response:
        language, row = LanguageQuery.read(request)["language"], row_of(symbol)
        found = asked.found(symbols=[row.pk], rules=_MARKED, interval=DAY.name, holds=True)
        newest = list(found.order_by("-opened_at", "rule").values_list("session_date", "direction", "rule")[:MOST])
        with translation.override(language):
            titles = {name: wording.rule(RULES[name]) for name in {rule for *_, rule in newest}}
        marks = [
            {"session_date": str(day), "direction": direction, "rule": rule, "title": titles[rule]}
            for day, direction, rule in newest
        ]
        return Response({"symbol": row.ticker, "marks": marks})
