"""A connection that answered a moment ago is not asked first whether it is alive: that is a round trip a request."""

import math
from collections.abc import Callable
from time import monotonic

from django.db import connections
from django.http import HttpRequest, HttpResponse

TRUSTED_SECONDS = 1.0  # a database that was away for less is noticed by the one request that fails


class Middleware:
    """Stands before all that asks a database. What failed is not trusted: Django looks at it when its request ends."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for each in connections.all(initialized_only=True):
            if monotonic() - getattr(each, "answered_at", -math.inf) < TRUSTED_SECONDS:
                each.health_check_done = True
        response = self._get_response(request)
        for each in connections.all(initialized_only=True):
            if each.connection is not None and not each.errors_occurred:
                each.answered_at = monotonic()
        return response
