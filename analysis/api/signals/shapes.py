"""What is told of signals, of their rules and of ratings."""

from django.conf import settings
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from analysis.models import Signal
from analysis.seen import asked, rated
from market import intervals
from market.api.shapes import SOURCED, VERSION, Page, Shape, Versioned
from market.intervals import DAY
from monitoring.queries import Choice, Query

SIGNAL = {
    "id": 4711, "symbol": "AAPL", "interval": DAY.name, "rule": "macd_cross_up", "direction": "up",
    "state": "confirmed", "holds": True, "as_of": "2012-08-14T00:00:00Z", "as_of_precision": "day",
    "session_date": "2012-08-14", "price": 631.69,
    "values": {"macd_12_26_9": 9.81, "macd_12_26_9.macdsignal": 9.42}, "live": None, "seen_by": "history",
    "seen_at": "2026-11-21T09:30:00Z", "changed_at": "2026-11-21T09:30:00Z", **SOURCED, "version": VERSION,
    "record": None, "after": {"bars": asked.AFTER_BARS, "move_percent": 6.7},
}  # fmt: skip
COLUMNS = tuple(name for name in SIGNAL if name not in ("values", "live", "record", "after"))


class AfterShape(Shape):
    bars = serializers.IntegerField()
    move_percent = serializers.FloatField(
        allow_null=True, help_text="How far the close went in so many bars after; null while they are not there."
    )


@extend_schema_serializer(component_name="Signal")
class SignalShape(Versioned):
    id = serializers.IntegerField()
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(intervals.CHOICES)
    rule = serializers.CharField(help_text="As /api/v2/signals/rules/ lists them.")
    direction = serializers.ChoiceField(Signal.Direction.choices)
    state = serializers.ChoiceField(Signal.State.choices)
    holds = serializers.BooleanField(help_text="Whether the rule fires by the bars as they are known now.")
    as_of = serializers.DateTimeField(help_text="The bar's opening.")
    as_of_precision = serializers.CharField()
    session_date = serializers.DateField()
    price = serializers.FloatField(help_text="The bar's close, as traded.")
    values = serializers.DictField(
        child=serializers.FloatField(allow_null=True),
        allow_null=True,
        help_text="What the rule read at the bar, split-adjusted as of `version`.",
    )
    live = serializers.DictField(
        allow_null=True, help_text="What was seen live where the history has it otherwise: `price` and `values`."
    )
    seen_by = serializers.ChoiceField(Signal.SeenBy.choices)
    seen_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField(help_text="When its state was set.")
    record = serializers.DictField(allow_null=True, help_text="The rule's track record; null until there is one.")


@extend_schema_serializer(component_name="SignalListed")
class ListedShape(SignalShape):
    after = AfterShape()


class SignalPage(Page):
    results = ListedShape(many=True)


class RuleShape(Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    direction = serializers.ChoiceField(Signal.Direction.choices)
    kind = serializers.CharField(help_text="`indicator`, or `pattern` of a candlestick pattern.")
    text = serializers.CharField(help_text="The condition, as people write it.")
    every = serializers.BooleanField(help_text="Fires at each bar on which it is true; else where it becomes true.")
    source = serializers.CharField()
    note = serializers.CharField()


class RulesShape(Shape):
    rules = RuleShape(many=True)


class PartShape(Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    group = serializers.ChoiceField(["averages", "oscillators"])
    says = serializers.IntegerField(allow_null=True, help_text="1 buy, 0 neutral, -1 sell; null: nobody knows yet.")


class RatingShape(Versioned):
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(intervals.CHOICES)
    as_of = serializers.DateTimeField()
    as_of_precision = serializers.CharField()
    session_date = serializers.DateField()
    state = serializers.CharField(help_text="Of the bar: forming, closed or final.")
    rating = serializers.ChoiceField(rated.WORDS, allow_null=True, help_text="Null: too few bars for any part.")
    title = serializers.CharField(allow_null=True)
    all = serializers.FloatField(allow_null=True, help_text="From -1 to 1: the mean of both groups.")
    averages = serializers.FloatField(allow_null=True)
    oscillators = serializers.FloatField(allow_null=True)
    parts = PartShape(many=True)


class LanguageQuery(Query):
    language = Choice([code for code, _ in settings.LANGUAGES], default="en", help_text="Of the titles.")
