"""Which tracked symbols a condition holds for: asked by a query, or by a tree in a body."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db.models import Max
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.conditions import schema
from analysis.conditions.reading import Invalid
from analysis.screener import Asked, TooMany, asking, saving, screen, screens
from analysis.technical.state import again
from market import coverage, intervals, symbols, watchlists
from market.api.queries import MAX_SYMBOLS, PAGES, Tickers
from market.api.shapes import SOURCED, VERSION, Page, Shape, Versioned, shown
from market.intervals import DAY
from market.models import KeyFigures, Symbol
from market.symbols import UnknownSymbol
from monitoring import jobs, submissions
from monitoring.api import refusals
from monitoring.api.refusals import TooLarge
from monitoring.jobs import Job
from monitoring.limits import Limit
from monitoring.queries import PAGING, Choice, Query, Text
from monitoring.submissions import Body

JOB = "analysis.screen"
MOST_COMPUTED = 500  # symbols that one answer waits for; of more a job computes
MOST_BYTES = 64 << 10  # of a body, whoever sends it
RETRY_SECONDS = 60
A_MINUTE = 10  # jobs that one address may have begun in a process, at once or spread
INVALID = "invalid_condition"
REFERENCE = ("name", "local_name", "exchange", "currency", "asset_type", "price_decimals")
COLUMNS = ("symbol", *REFERENCE, "as_of", "session_date", "as_of_precision", "source", "received_at", "version",
           "has_entered")  # fmt: skip
ONCE = ("where", "screen", "interval", "watchlist", "cursor", "limit")
NOT_READ = ("cursor", "limit", "format", "_")  # by the question: by its pages and its writer, or by nobody
_asking = Limit("screens", A_MINUTE)

ROW = {
    "symbol": "AAPL", "name": "Apple Inc.", "local_name": "", "exchange": "XNAS", "currency": "USD",
    "asset_type": "equity", "price_decimals": 2, "as_of": "2012-09-04T00:00:00Z", "session_date": "2012-09-04",
    "as_of_precision": "day", **SOURCED, "version": VERSION, "has_entered": False,
    "values": {"rsi_14": 68.7776, "close": 674.97},
}  # fmt: skip
WHERE = {"left": {"indicator": "rsi_14", "output": "rsi"}, "operator": "gt", "right": 60}
_ANSWER = {
    "timestamp": "2026-11-21T09:30:00Z", "where": WHERE, "interval": DAY.name, "fields": ["close"], "sort": ["-rsi_14"],
    "asked": 12, "matched": 1, "entered": 0, "left": ["MSFT"], "unknown": 1, "reasons": {"NEW": "no bars are held"},
    "next": None, "previous": None, "results": [ROW],
}  # fmt: skip


@extend_schema_field({"type": "array", "items": {"type": "string", "maxLength": 120}})
class Names(serializers.Field):
    """Names by commas or one by one."""

    are_many = True

    def to_internal_value(self, data: str) -> list[str]:
        return [part.strip() for part in data.split(",") if part.strip()]

    def to_representation(self, value: list[str]) -> str:
        return ",".join(value)


@extend_schema_field({"anyOf": [schema.condition(), {"type": "string"}, {"type": "null"}]})
class Where(serializers.Field):
    """A tree, or a line; what it may be its reader says."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class ScreenQuery(Query):
    where = Text(
        required=False,
        max_length=asking.LONGEST_TREE,
        help_text="The condition as a line, `rsi_14 < 30 and close > sma_200`, or as a tree in JSON.",
    )
    screen = Text(required=False, max_length=40, help_text="A kept one, by its `id` or the `token` of its link.")
    interval = Choice(list(intervals.ALL), required=False, help_text=f"`{DAY.name}` unless a kept one says otherwise.")
    fields = Names(required=False, help_text="Columns beside the values that the condition reads.")
    sort = Names(required=False, help_text="`-volume,rsi_14`; what has no value stands last. Else by symbol.")
    symbols = Tickers(required=False, help_text="Only these; else all that are tracked.")
    watchlist = Text(required=False, max_length=40, help_text="Only what is on it, by its `id`.")


class QuestionBody(Body):
    where = Where(required=False, allow_null=True, default=None, help_text="None: every symbol.")
    interval = Choice(list(intervals.ALL), default=DAY.name)
    fields = serializers.ListField(child=Text(max_length=120), default=list, help_text="Columns.")
    sort = serializers.ListField(child=Text(max_length=121), default=list, help_text='`["-volume", "rsi_14"]`.')
    symbols = serializers.ListField(
        child=Text(max_length=symbols.LONGEST), required=False, allow_empty=False, max_length=MAX_SYMBOLS
    )
    watchlist = Text(required=False, max_length=40)


class RowShape(Versioned):
    symbol = serializers.CharField()
    name = serializers.CharField()
    local_name = serializers.CharField(help_text="Its name at home; empty where that is `name`.")
    exchange = serializers.CharField()
    currency = serializers.CharField()
    asset_type = serializers.ChoiceField(Symbol.AssetType.choices)
    price_decimals = serializers.IntegerField()
    as_of = serializers.DateTimeField(help_text="The opening of its newest bar that has closed.")
    session_date = serializers.DateField()
    as_of_precision = serializers.CharField()
    has_entered = serializers.BooleanField(
        allow_null=True, help_text="Whether it did not hold at the bar before; null where nobody knows that."
    )


class ScreenedRow(RowShape):
    values = serializers.DictField(
        child=serializers.FloatField(allow_null=True),
        help_text="What the condition reads, then the columns, at that bar; as CSV and Parquet `values.rsi_14`.",
    )


@extend_schema_serializer(component_name="Screened")
class ScreenedShape(Page):
    timestamp = serializers.DateTimeField()
    where = Where(allow_null=True, help_text="As it was read.")
    interval = serializers.ChoiceField(intervals.CHOICES)
    fields = serializers.ListField(child=serializers.CharField())
    sort = serializers.ListField(child=serializers.CharField())
    asked = serializers.IntegerField(help_text="Symbols that were judged.")
    matched = serializers.IntegerField(help_text="Those that it holds for.")
    entered = serializers.IntegerField(help_text="Those of them that it did not hold for at the bar before.")
    left = serializers.ListField(
        child=serializers.CharField(), help_text="Those that it held for at the bar before, and no more."
    )
    unknown = serializers.IntegerField(help_text="Those of which nobody knows it.")
    reasons = serializers.DictField(
        child=serializers.CharField(), help_text=f"Why not, of the first {saving.MOST_REASONS} of them."
    )
    results = ScreenedRow(many=True)


@extend_schema_serializer(component_name="ScreenAsked")
class AskedShape(Shape):
    task_id = serializers.CharField()
    status = serializers.CharField(help_text="Always `processing`.")
    symbols = serializers.IntegerField(help_text="How many have to be computed of their bars.")
    done = serializers.IntegerField(help_text="How many of `total` are.")
    total = serializers.IntegerField(allow_null=True, help_text="Null before it has begun.")
    result_url = serializers.CharField()


class Failed(exceptions.APIException):
    status_code = 503
    default_code = "screen_failed"

    def __init__(self, job: Job) -> None:
        super().__init__(f"The screen came to nothing: {job.error or job.state}. It can be asked for again soon.")
        self.wait = RETRY_SECONDS


class ScreenView(APIView):
    """Says in HTTP's words what a question can't be."""

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(translated(exc))


class Screener(ScreenView):
    """The tracked symbols that a condition holds for, each by its newest bar that has closed."""

    scope = "read"  # its question may be a body, and it does nothing but answer
    csv_columns = COLUMNS
    problems = {400: (INVALID, "unknown_symbol"), 404: ("unknown_screen", "unknown_watchlist"),
                503: (Failed.default_code,)}  # fmt: skip
    _answers = {(200, "application/json"): ScreenedShape, (202, "application/json"): AskedShape,
                429: refusals.TOO_MANY}  # fmt: skip

    def row_shape(self) -> serializers.Serializer:
        """That of the rows of this answer, whose columns are as it was asked."""
        shape = RowShape()
        for name in self.csv_columns[len(COLUMNS) :]:
            shape.fields[name] = serializers.FloatField(allow_null=True)
        return shape

    @extend_schema(
        operation_id="screener",
        summary="Symbols that conditions hold for",
        description=(
            "Conditions are parameters, all of which must hold: `rsi_14.lt=30`, `change_percent.gt=2`, "
            "`close.between=10,20`, `close.crosses_up=sma_200`; or a line or tree as `where`; or none, which is every "
            "symbol. Where more has to be computed than an answer can wait for, a job does it: 202, and the same "
            f"question is answered once it is done, with the first {saving.MOST_ROWS} symbols."
        ),
        parameters=[
            ScreenQuery,
            *PAGING,
            OpenApiParameter(
                "conditions",
                {"type": "object", "additionalProperties": {"type": "string"}},
                explode=True,
                style="form",
                description="`NAME.OPERATOR=VALUE`, by the names of the catalogue.",
            ),
        ],
        responses=_answers,
        examples=shown(_ANSWER),
    )
    def get(self, request) -> Response:
        query, said = ScreenQuery.read(request), request.query_params
        if twice := [name for name in ONCE if len(said.getlist(name)) > 1]:
            raise exceptions.ValidationError({name: ["It is given more than once; say it once."] for name in twice})
        own = {*ScreenQuery().fields, *NOT_READ}
        pairs = [(name, value) for name in said if name not in own for value in said.getlist(name)]
        return self._answer(request, _asked(request, query, pairs), _limited(request, query))

    @extend_schema(
        operation_id="screener_by_tree",
        summary="Symbols that a condition holds for",
        description="A read, open as other reads are, of a tree of any depth.",
        parameters=PAGING,
        request=QuestionBody,
        responses=_answers,
        examples=shown(_ANSWER),
    )
    def post(self, request) -> Response:
        if len(request.body) > MOST_BYTES:
            raise TooLarge(MOST_BYTES)
        body = submissions.read(QuestionBody, request.data)
        asked = asking.read(body["where"], interval=body["interval"], fields=body["fields"], sort=body["sort"])
        return self._answer(request, asked, _limited(request, body))

    def _answer(self, request, asked: Asked, tickers: list[str] | None) -> Response:
        try:
            found = saving.told(asked, screen(asked, tickers, most=MOST_COMPUTED))
        except TooMany as error:
            job = _job(request, asked, tickers)
            if job.state != Job.State.COMPLETED:
                return Response(_begun(job, error.count), status=202, headers={"Retry-After": "2"})
            found = job.result
        pages = PAGES()
        rows = _named(pages.paginate_rows(found["rows"], request))
        self.csv_columns = (*COLUMNS, *(f"values.{each}" for each in asked.shown))
        if request.accepted_renderer.format != "json":
            rows = [_flat(row) for row in rows]
        response = pages.get_paginated_response(rows)
        facts = {name: value for name, value in found.items() if name != "rows"}
        response.data = {"timestamp": datetime.now(UTC), **facts, **response.data}
        return response


def translated(exc: Exception) -> Exception:
    if isinstance(exc, Invalid):
        return exceptions.ValidationError(exc.errors, code=INVALID)
    if isinstance(exc, UnknownSymbol):
        return exceptions.ValidationError({"where": [str(exc)]}, code="unknown_symbol")
    if isinstance(exc, screens.Unknown | watchlists.Unknown):
        return exceptions.NotFound(str(exc), exc.code)
    return exc


def _asked(request, query: Mapping[str, Any], pairs: list[tuple[str, str]]) -> Asked:
    """Of a kept screen, its own condition, and what the query says beside it."""
    kept = screens.one(request.user.pk, query["screen"]).asked if "screen" in query else {}
    said = [name for name in ("where", "screen") if name in query] + ["conditions"] * bool(pairs)
    if len(said) > 1:
        raise exceptions.ValidationError({said[0]: [f"Say it by one of {', '.join(said)}."]}, code=INVALID)
    node = asking.of_query(pairs)
    where = query.get("where", kept.get("where")) if node is None else node.as_json()
    chosen = {name: query.get(name, kept.get(name)) for name in ("interval", "fields", "sort")}
    return asking.read(
        where,
        interval=chosen["interval"] or DAY.name,
        fields=chosen["fields"] or (),
        sort=chosen["sort"] or (),
    )


def _limited(request, said: Mapping[str, Any]) -> list[str] | None:
    """The symbols that are asked; None: all that are tracked."""
    if "symbols" in said and "watchlist" in said:
        raise exceptions.ValidationError({"watchlist": ["Say it by one of symbols, watchlist."]}, code=INVALID)
    if "watchlist" in said:
        return [each.ticker for each in watchlists.opened(request.user.pk, said["watchlist"])[1]]
    if "symbols" not in said:
        return None
    found = symbols.found(said["symbols"])
    if missing := [text for text in said["symbols"] if text not in found]:
        told = [f'There is no symbol "{text[:32]}" here.' for text in missing[:5]]
        raise exceptions.ValidationError({"symbols": told}, code="unknown_symbol")
    return [row.ticker for row in found.values()]


def _named(rows: list[dict]) -> list[dict]:
    """With what the symbols are."""
    tickers = [row["symbol"] for row in rows]
    told = {ticker: facts for ticker, *facts in Symbol.objects.filter(ticker__in=tickers).values_list(
        "ticker", *REFERENCE)}  # fmt: skip
    return [{"symbol": row["symbol"], **dict(zip(REFERENCE, told[row["symbol"]], strict=True)), **row}
            for row in rows if row["symbol"] in told]  # fmt: skip


def _flat(row: dict) -> dict:
    values = row.pop("values")
    return row | {f"values.{name}": value for name, value in values.items()}


def _job(request, asked: Asked, tickers: list[str] | None) -> Job:
    """One of each question and state of the bars, whoever asks. Raises refusals.TooMany and Failed."""
    told = asked.as_json() | {"where": orjson.dumps(asked.node.as_json()).decode() if asked.node else ""}
    said = {name: value or None if isinstance(value, list) else value for name, value in told.items()}
    said["symbols"] = tickers
    state = hashlib.blake2b(orjson.dumps([said, *_stands_upon(asked, tickers)]), digest_size=16).hexdigest()
    job = Job.objects.filter(key=f"{JOB}:{state}").first()
    if job is not None and job.state not in Job.UNDONE:
        return job
    if job is not None and timezone.now() - job.finished_at < timedelta(seconds=RETRY_SECONDS):
        raise Failed(job)
    if (standing := _asking.take(request.asker)) is not None and standing.is_over:
        raise refusals.TooMany(f"{A_MINUTE} large screens a minute of one address are enough.")
    return jobs.submit(JOB, said, key=f"{JOB}:{state}") if job is None else again(job)


def _stands_upon(asked: Asked, tickers: list[str] | None) -> list:
    """What an answer would be another one for: the bars of every symbol and interval that is read, and key figures."""
    wanted = Symbol.objects.tracked().values_list("ticker", flat=True) if tickers is None else tickers
    others = symbols.found([each.symbol for each in asked.series if each.symbol])
    names = sorted({*wanted, *(row.ticker for row in others.values())})
    read = sorted({intervals.named(each.interval or asked.interval).stored_as for each in asked.series} | {DAY.name})
    figures = any(map(asking.is_figure, asked.series)) and KeyFigures.objects.aggregate(Max("received_at"))
    return [sorted(coverage.of(names, read).items()), bool(figures) and [figures, datetime.now(UTC).date()]]


def _begun(job: Job, count: int) -> dict:
    return {
        "task_id": str(job.pk), "status": "processing", "symbols": count, "done": job.progress_done or 0,
        "total": job.progress_total, "result_url": f"/api/tasks/task/{job.pk}/result",
    }  # fmt: skip
