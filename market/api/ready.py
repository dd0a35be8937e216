"""Answers that need nothing of DRF: found before it makes its request, its negotiation and its response.

They are those of the plain read that nearly everybody sends: of JSON, by GET, where market data is open. Every
middleware has let it in by then, with its key's scopes, its limit and its parameters; of any other, and where a view
has no such answer, DRF is asked as ever.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.views import APIView

JSON = "application/json"
ACCEPTED = ("*/*", JSON)


class Ready(APIView):
    """A view that reads what is open, as JSON alone."""

    @classmethod
    def as_view(cls, **kwargs) -> Callable[..., HttpResponse]:
        whole, one = super().as_view(**kwargs), cls(**kwargs)
        one.setup(None)  # what is read has a HEAD too
        # As every view's, of which DRF asks the session who is there.
        always = {"Allow": ", ".join(one.allowed_methods), "Vary": "Cookie"}

        @wraps(whole)
        def view(request: HttpRequest, **named: str) -> HttpResponse:
            found = cls.at_once(request, **named) if _is_plain(request) else None
            if found is None:
                return whole(request, **named)
            for name, value in always.items():
                found[name] = value
            return found

        return view

    @classmethod
    def at_once(cls, request: HttpRequest, **named: str) -> HttpResponse | None:
        """The answer that `get` would give, without its methods; None where that has to be asked."""
        raise NotImplementedError


def _is_plain(request: HttpRequest) -> bool:
    is_read = request.method == "GET" and settings.MARKET_DATA_OPEN
    return is_read and request.META.get("HTTP_ACCEPT", ACCEPTED[0]) in ACCEPTED
