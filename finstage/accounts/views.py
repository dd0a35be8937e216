"""The page of one's own account, and what its forms do."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.views import redirect_to_login
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from finstage import errors
from finstage.accounts import attempts, deletion, invitations, logins, preferences
from finstage.accounts.forms import Deletion, NewPassword, Profile

View = Callable[..., HttpResponse]
PROFILE, PASSWORD, DELETION = "profile_%s", "password_%s", "deletion_%s"  # several forms on a page: whose field it is


def _of_people(view: View) -> View:
    """A login's alone: a program with a key neither changes a password nor ends an account."""

    @wraps(view)
    @never_cache
    @sensitive_post_parameters()
    def checked(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if getattr(request, "grant", None) is not None:
            return errors.refused(request, 403, "login_required", "These pages are for people: log in.", {})
        if not request.user.is_authenticated:
            return redirect_to_login(reverse("account"), reverse("login"))
        return view(request, *args, **kwargs)

    return checked


@require_safe
@_of_people
def account(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    return render(request, "apikeys.html", {"may_invite": invitations.may_make(request.user)})


@require_POST
@_of_people
def profile(request: HttpRequest) -> HttpResponse:
    form = Profile(request.POST, instance=request.user, auto_id=PROFILE)
    if wait := _wait(request, form, "password"):
        return _page(request, wait, profile=form)
    if not form.is_valid():
        _note_wrong(request, form, "password")
        request.user.refresh_from_db()
        return _page(request, profile=form)
    form.save()
    return _done(request, _("Saved."), "profile")


@require_POST
@_of_people
def password(request: HttpRequest) -> HttpResponse:
    form = NewPassword(request.user, request.POST, auto_id=PASSWORD)
    if wait := _wait(request, form, "old_password"):
        return _page(request, wait, password=form)
    if not form.is_valid():
        _note_wrong(request, form, "old_password")
        return _page(request, password=form)
    before = request.session.session_key
    update_session_auth_hash(request, form.save())
    logins.moved(before, request.session.session_key)
    return _done(request, _("Your password is new. Everywhere else you are logged out."), "password")


@require_POST
@_of_people
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    is_there = logins.end(request.user, pk)
    return _done(request, _("It is logged out.") if is_there else _("It was logged out already."), "sessions")


@require_POST
@_of_people
def end_sessions(request: HttpRequest) -> HttpResponse:
    logins.end_others(request.user, request.session.session_key)
    return _done(request, _("Everywhere else you are logged out."), "sessions")


@require_POST
@_of_people
def delete(request: HttpRequest) -> HttpResponse:
    form = Deletion(request.user, request.POST, auto_id=DELETION)
    if wait := _wait(request, form, "password"):
        return _page(request, wait, deletion=form)
    if not form.is_valid():
        _note_wrong(request, form, "password")
        return _page(request, deletion=form)
    if deletion.is_needed(request.user):
        form.add_error(None, _("You are the only one who can look after this Finstage: make another superuser first."))
        return _page(request, deletion=form)
    user = request.user
    deletion.delete(user)
    logout(request)
    return render(request, "registration/deleted.html")


@require_POST
@_of_people
def invite(request: HttpRequest) -> HttpResponse:
    """The code is on this answer alone: not in a URL, and not in a cookie as a message would be."""
    if not invitations.may_make(request.user):
        return errors.permission_denied(request)
    code, expires_at = invitations.make(request.user)
    return _page(request, code=code, code_expires_at=expires_at)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """As Django's, which keeps it in the browser; on the account too."""
    answer = set_language(request)
    chosen = request.POST.get("language")
    if request.user.is_authenticated and chosen in preferences.CHOICES["language"]:
        preferences.change(request.user, {"language": chosen})
    return answer


def _page(request: HttpRequest, wait: float = 0, **more: object) -> HttpResponse:
    """The page with a form as it was sent, where one was. wait: seconds, where it was refused unread."""
    told = {
        "profile": Profile(instance=request.user, auto_id=PROFILE),
        "password": NewPassword(request.user, auto_id=PASSWORD),
        "deletion": Deletion(request.user, auto_id=DELETION),
        "sessions": logins.of(request.user, request.session.session_key),
        "zones": preferences.zones(),
        "may_invite": invitations.may_make(request.user),
        **more,
    }
    answer = render(request, "account.html", told, status=429 if wait else 200)
    if wait:
        answer["Retry-After"] = str(round(wait + 0.5))
    return answer


def _done(request: HttpRequest, said: str, section: str) -> HttpResponse:
    messages.success(request, said)
    return redirect(f"{reverse('account')}#{section}")


def _wait(request: HttpRequest, form: BaseForm, field: str) -> float:
    """Whoever sits at an open login guesses no password either."""
    if not form.data.get(field):
        return 0
    seconds = attempts.wait(attempts.wrong_passwords, attempts.network(request), attempts.typed(request.user.username))
    if seconds:
        form.add_error(None, attempts.sentence(seconds))
    return seconds


def _note_wrong(request: HttpRequest, form: BaseForm, field: str) -> None:
    if field in form.errors and form.data.get(field):
        attempts.note(attempts.wrong_passwords, attempts.network(request), attempts.typed(request.user.username))
