"""All signals, and the rules that they are of."""

from django.utils import translation
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import wording
from analysis.api.signals.shapes import COLUMNS, SIGNAL, LanguageQuery, RulesShape, SignalPage
from analysis.models import Signal
from analysis.seen import asked
from analysis.signals.catalogue import RULES
from analysis.signals.rule import Rule
from market import intervals, symbols
from market.api.queries import PAGES, Tickers, why_unknown
from market.api.shapes import JSON_ONLY, shown
from monitoring.queries import PAGING, Choice, Day, Span


class SignalQuery(Span):
    symbol = Tickers(required=False, help_text="Of these symbols alone, separated by commas.")
    rule = Choice(list(RULES), required=False)
    direction = Choice(Signal.Direction.values, required=False)
    interval = Choice(list(intervals.ALL), required=False)
    state = Choice(Signal.State.values, required=False)
    start = Day(required=False, help_text="The first session that counts.")
    end = Day(required=False, help_text="The last one.")


class Signals(APIView):
    """What rules saw on bars, the newest bar first; of a recording in the pass that runs."""

    csv_columns = COLUMNS
    problems = {400: ("invalid_range",), 404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="signals_list",
        summary="Signals",
        parameters=[SignalQuery, *PAGING],
        responses=SignalPage,
        examples=shown({"next": None, "previous": None, "results": [SIGNAL]}),
    )
    def get(self, request) -> Response:
        query, pages = SignalQuery.read(request), PAGES()
        pages.ordering = "-opened_at"
        equal = {name: query[name] for name in ("direction", "interval", "state") if name in query}
        rows = pages.paginate_queryset(
            asked.found(
                symbols=_keys(query["symbol"]) if "symbol" in query else None,
                rules=[query["rule"]] if "rule" in query else None,
                start=query.get("start"),
                end=query.get("end"),
                **equal,
            ),
            request,
            self,
        )
        moves = asked.moves(rows)
        after = {row.pk: {"bars": asked.AFTER_BARS, "move_percent": moves[row.pk]} for row in rows}
        return pages.get_paginated_response([{**asked.fields(row), "after": after[row.pk]} for row in rows])


class Rules(APIView):
    """The rules that signals are of: each a condition with a direction and a source."""

    renderer_classes = JSON_ONLY

    @extend_schema(
        operation_id="signal_rules",
        summary="The rules of signals",
        parameters=[LanguageQuery],
        responses={(200, "application/json"): RulesShape},
    )
    def get(self, request) -> Response:
        with translation.override(LanguageQuery.read(request)["language"]):
            return Response({"rules": [_rule(each) for each in RULES.values()]})


def _keys(texts: list[str]) -> list[int]:
    """Raises a 404 where there is none of them; one that is unknown among others has no signals."""
    found = symbols.found(texts)
    if missing := [text for text in texts if text not in found]:
        raise NotFound(why_unknown(missing[0], symbols.near(missing[0])), "unknown_symbol")
    return [row.pk for row in found.values()]


def _rule(rule: Rule) -> dict:
    names = ("name", "direction", "text", "every", "source", "note")
    return {**{name: getattr(rule, name) for name in names}, "title": wording.rule(rule), "kind": rule.of}
