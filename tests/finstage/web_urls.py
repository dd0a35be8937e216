"""Views that are slow, large, endless or broken, for the tests of the gate."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import redis.exceptions
from django.db import OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import APIView

seen = {"visits": 0, "started": 0, "left": 0, "threads": set()}


def counts(request: HttpRequest) -> HttpResponse:
    return JsonResponse({**seen, "threads": len(seen["threads"])})


def blocked(request: HttpRequest) -> HttpResponse:
    """Holds its thread for a minute, as long as it is told, or until a file is there."""
    seen["visits"] += 1
    seen["threads"].add(threading.get_ident())
    until = time.monotonic() + float(request.GET.get("seconds", 60))
    while time.monotonic() < until and not Path(request.GET.get("file", "/nowhere")).exists():
        time.sleep(0.01)
    return HttpResponse("at last")


def large(request: HttpRequest) -> HttpResponse:
    seen["visits"] += 1
    size = int(request.GET.get("bytes", 16 << 20))
    return StreamingHttpResponse(b"x" * min(65536, size - at) for at in range(0, size, 65536))


def endless(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_pieces())


def _pieces() -> Iterator[bytes]:
    seen["started"] += 1
    try:
        while True:
            yield b"x"
            time.sleep(0.02)
    finally:
        seen["left"] += 1


def broken_half_way(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[bytes]:
        yield b"half of it"
        raise ValueError("the other half")

    return StreamingHttpResponse(pieces())


def lying(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"short", headers={"Content-Length": "100"})


def body(request: HttpRequest) -> HttpResponse:
    seen["visits"] += 1
    return HttpResponse(str(len(request.body)))


body.csrf_exempt = True


def number(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(pk))


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("secret words of the traceback")


def unreachable(request: HttpRequest) -> HttpResponse:
    raise OperationalError(2002, "Can't connect to server")


def no_redis(request: HttpRequest) -> HttpResponse:
    raise redis.exceptions.ConnectionError("Error 111 connecting")


def missing_table(request: HttpRequest) -> HttpResponse:
    connection.cursor().execute("SELECT * FROM there_is_no_such_table")
    return HttpResponse()


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


class Api(APIView):
    permission_classes = []

    def get(self, request, kind: str) -> Response:
        raise ERRORS[kind]

    def post(self, request, kind: str) -> Response:
        return Response({"numbers": [1.5, float("nan"), float("inf")], "got": request.data})


ERRORS = {
    "interval": exceptions.ValidationError({"interval": ["“2d” is not known."]}),
    "several": exceptions.ValidationError({"start": ["Too early."], "end": ["Too late."]}),
    "coded": exceptions.ValidationError({"symbols": ["501 of 500."]}, code="too_many_symbols"),
    "unknown": exceptions.NotFound("We do not know XYZ1.", code="unknown_symbol"),
    "throttled": exceptions.Throttled(wait=7),
    "database": OperationalError(2013, "Lost connection during query"),
    "bug": ValueError("secret words of the traceback"),
}

urlpatterns = [
    path("counts", counts), path("blocked", blocked), path("blocked/too", blocked), path("large", large),
    path("endless", endless), path("endless/too", endless),
    path("half", broken_half_way), path("lying", lying), path("body", body), path("numbers/<int:pk>/", number),
    path("broken", broken), path("api/broken", broken), path("unreachable", unreachable),
    path("api/unreachable", unreachable), path("api/table", missing_table), path("api/redis", no_redis),
    path("missing", missing),
    path("api/errors/<str:kind>", Api.as_view()),
]  # fmt: skip
handler400 = "finstage.errors.bad_request"
handler403 = "finstage.errors.permission_denied"
handler404 = "finstage.errors.not_found"
handler500 = "finstage.errors.server_error"
