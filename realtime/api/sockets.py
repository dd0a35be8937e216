"""How the sockets of all web processes are, who is connected, and closing one by hand."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from market import prices
from monitoring import audit
from monitoring.api.refusals import ForStaff
from monitoring.queries import PAGING, Choice, Count, Query
from realtime.administration import asking, processes, rows
from realtime.administration.processes import Report
from realtime.api import shapes
from realtime.api.shapes import MISSING, NO_CLIENT, REFUSED, NoAnswer
from realtime.messages import TYPES

FIRST = (0.0, "")
MOST = 1000


class ClientQuery(Query):
    limit = Count(min_value=1, max_value=MOST, default=MOST, help_text="Rows in a page; `Link` leads to the next.")
    slow = Choice(["true", "false"], default="false", help_text="Only those that are behind with reading.")


class Status(APIView):
    """The sockets of all web processes together. One that dies is left out 15 s later at the latest."""

    @extend_schema(operation_id="sockets_status", summary="Sockets", responses={200: shapes.Status})
    def get(self, request) -> Response:
        reports = processes.told()
        told = _status(processes.total(reports)) | {"processes": len(reports)}
        if request.user.is_staff:
            told["process_list"] = [_process(report) for report in reports]
        return Response(told)


class Clients(APIView):
    """Who is connected, the oldest first. `Link` leads to the next page; `X-Total-Count` says how many there are."""

    permission_classes = [ForStaff]
    problems = {503: ("no_answer",)}

    @extend_schema(
        operation_id="sockets_clients",
        summary="Clients",
        parameters=[ClientQuery, PAGING[0]],
        responses={200: shapes.Client(many=True), 403: REFUSED},
    )
    def get(self, request) -> Response:
        query, pages = ClientQuery.read(request), api_settings.DEFAULT_PAGINATION_CLASS
        cursors = pages.cursors(request, "clients", query["slow"])
        after = asked.values if (asked := cursors.asked()) else FIRST
        limit, slow = query["limit"], query["slow"] == "true"
        answers = asking.ask("clients", after=list(after), limit=limit, slow=slow)
        if answers.missing and not answers.given:
            raise NoAnswer
        found, are_more = rows.merged(answers.given, limit)
        headers = {"X-Total-Count": sum(each["count"] for each in answers.given), MISSING: answers.missing}
        if are_more and found:
            behind = pages.place([found[-1]["connected_at"], found[-1]["client_id"]])
            headers["Link"] = f'<{cursors.url(behind)}>; rel="next"'
        return Response([{**row, "connected_at": _instant(row["connected_at"])} for row in found], headers=headers)


class Close(APIView):
    """Close a client by hand: it is told 4510, `closed by staff`, and is not to come back by itself."""

    permission_classes = [ForStaff]
    problems = {404: (NO_CLIENT,), 503: ("no_answer",)}

    @extend_schema(
        operation_id="sockets_close",
        summary="Close a client",
        request=None,
        responses={200: shapes.Closed, 403: REFUSED},
    )
    def post(self, request, client_id: str) -> Response:
        with audit.act(request, "sockets.close", client_id) as outcome:
            answers = asking.ask("close", client_id=client_id)
            outcome |= {"closed": any(each["closed"] for each in answers.given), "missing": answers.missing}
            if not outcome["closed"] and answers.missing:
                raise NoAnswer
            if not outcome["closed"]:
                raise NotFound(f"No client {client_id[:40]!r} is connected.", NO_CLIENT)
        return Response({"client_id": client_id, "closed": True})


def _status(total: Report) -> dict[str, Any]:
    return {
        "active_connections": total.connections,
        "total_messages_sent": total.messages_sent,
        "subscribed_symbols": len(total.symbols),
        "subscription_stats": dict.fromkeys(TYPES, 0) | total.by_type,
        "messages_per_second": round(total.messages_per_second, 1),
        "slow_clients": total.slow,
        "slow_disconnects": total.slow_closed,
        "gaps_told": total.gaps,
    }


def _process(report: Report) -> dict[str, Any]:
    return {
        "process": report.name,
        "pid": report.pid,
        "began_at": _instant(report.began_at),
        "active_connections": report.connections,
        "total_messages_sent": report.messages_sent,
        "messages_per_second": report.messages_per_second,
        "slow_clients": report.slow,
        "slow_disconnects": report.slow_closed,
        "gaps_told": report.gaps,
    }


def _instant(seconds: float) -> str:
    return prices.instant(datetime.fromtimestamp(seconds, UTC))
