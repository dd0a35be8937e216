"""What every answer of Django carries: its request's id and the headers that keep a browser safe."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from finstage.answers import request_id

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
    "connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
)


class Middleware:
    """Outermost, so that answers of other middleware carry the headers too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The gate has checked the id; under a plain WSGI server nobody has.
        request.META["HTTP_X_REQUEST_ID"] = request_id(request.META.get("HTTP_X_REQUEST_ID"))
        response = self._get_response(request)
        if match := request.resolver_match:
            request.META["finstage.route"] = match.route
        response["X-Request-ID"] = request.META["HTTP_X_REQUEST_ID"]
        response.setdefault("Content-Security-Policy", POLICY)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        return response
