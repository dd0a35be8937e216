"""Pages as their reader chose them: before they are made, so that none comes in another look and changes then."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from finstage.accounts import logins, preferences
from finstage.errors import PROGRAM_PATHS

PAGES, ADMIN = ("/api/docs/", "/ws/demo"), "/admin/"  # pages among the paths of programs; what Django itself wrote


class Middleware:
    """Behind the door, which knows who asks. What programs read says everything in one language and in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith(PROGRAM_PATHS) and not path.startswith(PAGES):
            return self._get_response(request)
        has_login = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
        request.preferences = preferences.of(request.user.pk) if has_login else preferences.of_cookies(request.COOKIES)
        if has_login:
            logins.note(request)
        if language := request.preferences.get("language"):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        # The admin writes its times on the server; the other pages do in the browser, and their JSON stays in UTC.
        with timezone.override(_zone(request.preferences) if path.startswith(ADMIN) else None):
            return self._get_response(request)


def _zone(values: dict) -> ZoneInfo | None:
    name = values.get(preferences.ZONE)
    return None if name in (None, preferences.MARKET, preferences.LOCAL) else ZoneInfo(name)
