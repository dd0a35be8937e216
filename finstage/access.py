"""Who may read and who may write over HTTP."""

from django.conf import settings
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission


class Session(SessionAuthentication):
    """The cookie of a login. Names its scheme, so that a request without one is a 401 and not a 403."""

    def authenticate_header(self, request) -> str:
        return "Session"


class MarketData(BasePermission):
    """Reads are open or need a login by one setting; everything that writes needs a user."""

    def has_permission(self, request, view) -> bool:
        if request.method in SAFE_METHODS and settings.MARKET_DATA_OPEN:
            return True
        return bool(request.user and request.user.is_authenticated)
