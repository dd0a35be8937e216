"""Who comes in, by which key, and how often: asked of every request before any view is.

A key goes with every path, and in one of two headers: `Authorization: Bearer KEY` or `X-API-Key: KEY`. No browser adds
either by itself to what another site makes it send, so the interface asks no form's token of a request with one.
"""

import math
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from finstage import errors
from finstage.access import keys, limits, tokens, uses
from finstage.access.keys import Grant, Invalid
from finstage.access.tokens import Token
from finstage.answers import READING
from finstage.models import ApiKey
from monitoring.limits import Limit, Standing

SCHEME, OF_PROXIES = "bearer", ("basic", "digest", "negotiate")
WRONG_A_MINUTE = 30  # wrong keys of one address, at once or spread
SAFE = (*READING, "OPTIONS")

_addresses = Limit("address", settings.REQUESTS_PER_ADDRESS)
_users = Limit("user", settings.REQUESTS_PER_USER)
_keys = Limit("key", settings.REQUESTS_PER_KEY)
_wrong = Limit("wrong-keys", WRONG_A_MINUTE)


class TooManyWrong(Exception):
    """So many wrong keys came from this address that none is looked for any more, for some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Too many wrong API keys came from your address: wait before you try another one.")
        self.seconds = math.ceil(seconds)


class Middleware:
    """Behind the session's, and before all that answers: so that a 304 tells the limits too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = limits.asker(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))
        request.asker = address  # for a view that bounds what one address may have done for it
        try:
            text = said(request.META.get("HTTP_AUTHORIZATION", ""), request.META.get("HTTP_X_API_KEY"))
            grant = None if text is None else granted(text, address)
        except (Invalid, TooManyWrong) as fault:
            return _limited(request, counted(None, None, address), partial(_kept_out, fault=fault))
        if grant is not None:
            request.grant, request.user = grant, SimpleLazyObject(grant.user)  # reads of what is open need no user
            uses.note(grant.key_id)
        return _limited(request, _count(request, grant, address), self._get_response)

    def process_view(self, request: HttpRequest, view: Callable, *arguments) -> HttpResponse | None:
        """What the key's scopes leave out. The admin's pages are for people."""
        grant: Grant | None = getattr(request, "grant", None)
        if grant is None:
            return None
        if request.resolver_match.app_name == "admin":
            return errors.refused(request, 403, "login_required", "These pages are for people: log in.", {})
        scope = _scope(view, request.method)
        if scope in grant.scopes:
            return None
        return errors.refused(request, 403, "missing_scope", missing(scope, grant), {})


def granted(text: str, address: str) -> Grant:
    """What the key in a text lets its bearer do. Raises Invalid, or TooManyWrong."""
    token = Token.read(text)
    is_key = token is not None and token.kind == tokens.KEY
    grant = keys.remembered(token) if is_key else None
    if grant is None:
        if wait := _wrong.wait(address):
            raise TooManyWrong(wait)
        try:
            grant = keys.looked_up(token if is_key else Token.none())
        except Invalid:
            _wrong.take(address)
            raise
    grant.check(timezone.now())
    return grant


def said(authorization: str, plain: str | None) -> str | None:
    """The key in these headers. What a proxy may have asked for (Basic, Digest) is none. Raises Invalid."""
    scheme, _, rest = authorization.strip().partition(" ")
    bearer = rest.strip() if scheme.lower() == SCHEME else None
    if bearer is not None and plain is not None and bearer != plain.strip():
        raise Invalid("invalid_key", "Two different API keys came with this request: which one counts?")
    text = bearer if bearer is not None else plain
    if text is None and scheme and scheme.lower() not in OF_PROXIES:
        raise Invalid("invalid_key", f"The Authorization is of no kind that is known here. {errors.HOW}")
    return None if text is None else text.strip()


def counted(grant: Grant | None, user_id: int | None, address: str) -> Standing | None:
    """Count a request, and say where its limit stands: the key's, or its owner's who may have many. What comes with a
    key that lets nobody in is nobody's, and counts for its address.
    """
    if grant is not None:
        standings = [each for each in (_keys.take(grant.key_id), _users.take(grant.user_id)) if each is not None]
        return min(standings, key=lambda each: (not each.is_over, each.left / each.quota), default=None)
    return _addresses.take(address) if user_id is None else _users.take(user_id)


def _count(request: HttpRequest, grant: Grant | None, address: str) -> Standing | None:
    is_login = grant is None and settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
    return counted(grant, request.user.pk if is_login else None, address)


def _limited(
    request: HttpRequest, standing: Standing | None, answer: Callable[[HttpRequest], HttpResponse]
) -> HttpResponse:
    """The answer, which tells where the limit stands; one too many gets another."""
    if standing is None:
        return answer(request)
    response = _too_many(request, standing) if standing.is_over else answer(request)
    for name, value in standing.headers().items():
        response[name] = value
    return response


def _kept_out(request: HttpRequest, fault: Invalid | TooManyWrong) -> HttpResponse:
    if isinstance(fault, TooManyWrong):
        return errors.refused(request, 429, "too_many_wrong_keys", str(fault), {"Retry-After": str(fault.seconds)})
    return errors.refused(request, 401, fault.code, str(fault), challenge(fault))


def _too_many(request: HttpRequest, standing: Standing) -> HttpResponse:
    return errors.refused(request, 429, "rate_limited", str(standing), {"Retry-After": str(standing.wait_seconds)})


def missing(scope: str, grant: Grant) -> str:
    """What is said of a key that lacks a scope."""
    has = ", ".join(sorted(grant.scopes)) or "none that counts"
    return f"This needs a key with the scope {scope}; {grant.prefix} has {has}."


def challenge(invalid: Invalid) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{invalid}"'}


def _scope(view: Callable, method: str) -> str:
    """What a key needs for this; a view whose POST only asks says so by its `scope`."""
    if method in SAFE:
        return ApiKey.READ
    return getattr(getattr(view, "cls", None), "scope", ApiKey.WRITE)
