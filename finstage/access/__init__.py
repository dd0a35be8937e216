"""Who may read and who may write over HTTP."""

from django.conf import settings
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission

READ = "read"


class Key(BaseAuthentication):
    """The API key that `door` has let in. First of its kind, so that a request without any is told of it by the 401."""

    def authenticate(self, request) -> tuple | None:
        grant = getattr(request._request, "grant", None)
        return None if grant is None else (request._request.user, grant)

    def authenticate_header(self, request) -> str:
        return "Bearer"


class Session(SessionAuthentication):
    """The cookie of a login. Names its scheme, so that a request without one is a 401 and not a 403."""

    def authenticate_header(self, request) -> str:
        return "Session"


class MarketData(BasePermission):
    """Reads are open or need a login by one setting; everything that writes needs a user."""

    def has_permission(self, request, view) -> bool:
        if settings.MARKET_DATA_OPEN and self.is_read(request.method, view):
            return True
        return bool(request.user and request.user.is_authenticated)

    @staticmethod
    def is_read(method: str, view) -> bool:
        """Whether it only asks; a view whose POST does no more says so by its `scope`."""
        return method in SAFE_METHODS or getattr(view, "scope", "") == READ
