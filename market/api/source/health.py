"""How the source of prices answers, and the pace at which all processes together ask it."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from market import sources
from market.api.shapes import JSON_ONLY, Shape, shown
from market.models import DataSource
from market.sources import negatives, pace
from market.sources.contract import ABILITIES, About
from market.sources.errors import CODES
from monitoring import latencies, metrics

HEALTH = {
    "source": "yahoo", "title": "Yahoo", "is_recorded": False, "chosen_at": "2026-11-21T09:00:00Z",
    "reason": "asked for by FINSTAGE_SOURCE", "can": ["history", "live", "quotes"],
    "pace": {
        "allowed": 2.0, "now": 1.0, "asked": 57.5, "limited_at": "2026-11-21T09:28:00Z", "slow_at": None,
        "answered_at": "2026-11-21T09:27:59Z", "failed_at": "2026-11-21T09:28:00Z", "failed_by": "rate_limited",
        "failed_why": "Yahoo: too many requests",
    },
    "breaker": {
        "state": pace.OPEN, "opened_until": "2026-11-21T09:29:00Z", "code": "rate_limited",
        "why": "Yahoo: too many requests", "failures": 0, "is_paused": False,
    },
    "unknown_symbols": 2, "batched_quotes_from": None,
    "latency": {
        "minutes": latencies.MINUTES,
        "from_source": [{"way": "streamer", "count": 1200, "p50": 0.42, "p99": 1.9, "ahead": 0}],
        "to_client": {"count": 4800, "p50": 0.004, "p99": 0.021, "ahead": 0},
        "asked_again": {"count": 300, "p50": 9.4, "p99": 10.0, "ahead": 0},
    },
}  # fmt: skip


NO_SOURCE = {404: ("no_source",)}
_CODES = f"One of {', '.join(CODES)}."


@extend_schema_serializer(component_name="SourcePace")
class PaceShape(Shape):
    allowed = serializers.FloatField(help_text="Requests a second of all processes together, at most.")
    now = serializers.FloatField(
        help_text="At most now: less after a 429 and after slow answers, and all again by good ones."
    )
    asked = serializers.FloatField(help_text="Requests within the last minute, about.")
    limited_at = serializers.DateTimeField(allow_null=True, help_text="The last 429; null: none for a day.")
    slow_at = serializers.DateTimeField(allow_null=True, help_text="The last answer that took too long.")
    answered_at = serializers.DateTimeField(allow_null=True, help_text="The last answer.")
    failed_at = serializers.DateTimeField(allow_null=True, help_text="The last failure.")
    failed_by = serializers.CharField(allow_null=True, help_text=_CODES)
    failed_why = serializers.CharField(allow_null=True)


@extend_schema_serializer(component_name="SourceBreaker")
class BreakerShape(Shape):
    state = serializers.ChoiceField(
        pace.BREAKER,
        help_text="`open`: it is not asked; `half_open`: one request tries whether it answers again; else `closed`.",
    )
    opened_until = serializers.DateTimeField(allow_null=True, help_text="Null but while it is open.")
    code = serializers.CharField(allow_null=True, help_text=f"What it opened for. {_CODES}")
    why = serializers.CharField(allow_null=True)
    failures = serializers.IntegerField(help_text="In a row, so far; several open it.")
    is_paused = serializers.BooleanField(help_text="Whether people opened it, for a while.")


@extend_schema_serializer(component_name="Latency")
class LatencyShape(Shape):
    count = serializers.IntegerField(help_text="Prices that were timed.")
    p50 = serializers.FloatField(allow_null=True, help_text="Seconds within which half of them took; null of none.")
    p99 = serializers.FloatField(allow_null=True, help_text="Seconds within which 99 of a hundred took.")
    ahead = serializers.IntegerField(
        help_text="Prices that took less than no time, as clocks are apart; they are not among `count`."
    )


@extend_schema_serializer(component_name="SourceLatency")
class SourceLatencyShape(LatencyShape):
    way = serializers.ChoiceField(("streamer", "polled"), help_text="Whether the source told it, or was asked.")


@extend_schema_serializer(component_name="Latencies")
class LatenciesShape(Shape):
    minutes = serializers.IntegerField(help_text="The last ones, of which the rest tells.")
    from_source = SourceLatencyShape(
        many=True,
        help_text="From the market's time of a new price of an open market, in whole seconds, to our receipt.",
    )
    to_client = LatencyShape(help_text="From our receipt of a price to the end of the flush that wrote it to sockets.")
    asked_again = LatencyShape(
        help_text="Between two questions about a symbol of an open market of which nothing is streamed."
    )


@extend_schema_serializer(component_name="SourceHealth")
class HealthShape(Shape):
    source = serializers.CharField()
    title = serializers.CharField()
    is_recorded = serializers.BooleanField()
    chosen_at = serializers.DateTimeField()
    reason = serializers.CharField(help_text="Why it is this one.")
    can = serializers.ListField(child=serializers.ChoiceField(ABILITIES))
    pace = PaceShape(allow_null=True, help_text="Null of a source that is asked at will.")
    breaker = BreakerShape(allow_null=True, help_text="Null of the same.")
    unknown_symbols = serializers.IntegerField(
        help_text="Symbols that it did not know lately, about which it is not asked again for a while."
    )
    batched_quotes_from = serializers.DateTimeField(
        allow_null=True, help_text="When it is asked for many quotes at once again, as it refused; null: it is now."
    )
    latency = LatenciesShape(help_text="How long prices take to us, and from us to clients.")


class Health(APIView):
    """How the source of this database answers, and the pace at which it is asked."""

    renderer_classes = JSON_ONLY
    problems = NO_SOURCE

    @extend_schema(
        operation_id="source_retrieve",
        summary="The source of prices",
        responses={(200, "application/json"): HealthShape},
        examples=shown(HEALTH),
    )
    def get(self, request) -> Response:
        return Response(health())


def health() -> dict:
    """How it stands. Raises NotFound before there is one."""
    about, chosen = held(), DataSource.objects.get(pk=1)
    return {
        "source": about.name,
        "title": str(about.title),
        "is_recorded": about.is_recorded,
        "chosen_at": chosen.chosen_at,
        "reason": chosen.reason,
        "can": sorted(about.can),
        **_asked(about),
        "unknown_symbols": negatives.unknown(about.name).count(),
        "batched_quotes_from": _after(negatives.batched(about.name).left(negatives.BATCHED)),
        "latency": _latency(about.name),
    }


def held() -> About:
    """What the source is. Raises NotFound before there is one."""
    about = sources.held()
    if about is None:
        raise NotFound("No source is chosen yet; the first start of a feed chooses one.", "no_source")
    return about


def _asked(about: About) -> dict:
    """The pace and the breaker; null of a source that has none."""
    if about.pace is None:
        return {"pace": None, "breaker": None}
    told = asdict(about.pace().state())
    told |= {"now": told.pop("rate"), "state": told.pop("breaker")}
    return {
        name: {field: told[field] for field in shape().fields}
        for name, shape in (("pace", PaceShape), ("breaker", BreakerShape))
    }


def _latency(source: str) -> dict:
    """How long prices of the last minutes took, the two ways apart."""
    came, went = metrics.PRICE_FROM_SOURCE.last(), metrics.PRICE_TO_CLIENT.last()
    return {
        "minutes": latencies.MINUTES,
        "from_source": [{"way": way, **asdict(told)} for (name, way), told in came.items() if name == source],
        "to_client": asdict(went.get((), latencies.NONE)),
        "asked_again": asdict(metrics.PRICE_ASKED_AGAIN.last().get((source,), latencies.NONE)),
    }


def _after(seconds: float | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None
