"""The ways in: log-in, registration, and a new password by mail."""

import json
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth import views as auth
from django.contrib.auth.forms import PasswordResetForm
from django.core.mail import EmailMessage
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from finstage.accounts import attempts, mail, preferences
from finstage.accounts.forms import ForgottenPassword, Registration
from finstage.models import User

YEAR_SECONDS = 31_536_000
BACKEND = "django.contrib.auth.backends.ModelBackend"
OFF, INVITATION = "off", "invitation"
FORM = ("get", "head", "post")


class LogIn(auth.LoginView):
    """Django's, which counts what is wrong, and brings what a guest chose to the account."""

    http_method_names = FORM
    next_page, for_staff = "watchlist", False
    extra_context = {"is_open": settings.MARKET_DATA_OPEN, "registration": settings.REGISTRATION}

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        """The form, also to who is logged in and is no staff where that is needed; else on to where they wanted."""
        user, wanted = request.user, self.get_success_url()
        if user.is_authenticated and (user.is_staff or not self.for_staff):
            return redirect(self.get_default_redirect_url() if wanted.partition("?")[0] == request.path else wanted)
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if seconds := attempts.wait(attempts.wrong_passwords, *self._who()):
            return _refused(self.render_to_response(self.get_context_data(wait=attempts.sentence(seconds))), seconds)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form) -> HttpResponse:
        attempts.note(attempts.wrong_passwords, *self._who())
        return super().form_invalid(form)

    def form_valid(self, form) -> HttpResponse:
        return _settled(self.request, super().form_valid(form))

    def _who(self) -> tuple[str, str]:
        return attempts.network(self.request), attempts.typed(self.request.POST.get("username", ""))


@never_cache
@sensitive_post_parameters()
def register(request: HttpRequest) -> HttpResponse:
    """Where somebody makes an account, as far as one may here."""
    if settings.REGISTRATION == OFF:
        return render(request, "registration/register.html", {"is_off": True}, status=403)
    if request.user.is_authenticated:
        return redirect("account")
    needs = settings.REGISTRATION == INVITATION
    if request.method != "POST":
        return _registering(request, Registration(needs_invitation=needs))
    form = Registration(request.POST, needs_invitation=needs)
    if seconds := attempts.first_wait([(attempts.registrations, attempts.network(request))]):
        form.add_error(None, attempts.sentence(seconds))
        return _refused(_registering(request, form), seconds)
    user = form.make() if form.is_valid() else None
    if user is None:
        if form.is_valid():
            form.add_error("code", "used")
        return _registering(request, form)
    login(request, user, BACKEND)
    return _settled(request, redirect("watchlist"))


class MailedForm(PasswordResetForm):
    """Django's, whose mail leaves behind the answer, in its reader's language."""

    def get_users(self, email: str) -> list[User]:
        """Those who may have a new password. In small letters: with a binary collation MariaDB tells cases apart."""
        found = User.objects.alias(small=Lower("email")).filter(small=email.lower(), is_active=True)
        return [user for user in found if user.has_usable_password() and user.email.lower() == email.lower()]

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        user: User = context["user"]
        language = preferences.of(user.pk).get("language") or context["language"]
        with translation.override(language):
            title = " ".join(loader.render_to_string(subject_template_name, context).split())
            text = loader.render_to_string(email_template_name, context)
        EmailMessage(title, text, from_email, [to_email]).send()


@method_decorator(sensitive_post_parameters(), name="dispatch")
class Reset(auth.PasswordResetView):
    """Asks for an address and says the same of each."""

    http_method_names = FORM
    form_class = MailedForm
    template_name, email_template_name = "registration/reset.html", "registration/reset_mail.txt"
    subject_template_name, success_url = "registration/reset_subject.txt", reverse_lazy("reset_sent")

    def form_valid(self, form: MailedForm) -> HttpResponse:
        address = attempts.typed(form.cleaned_data["email"])
        limits = [(attempts.resets_of_network, attempts.network(self.request)), (attempts.resets_of_address, address)]
        if seconds := attempts.first_wait(limits):
            form.add_error(None, attempts.sentence(seconds))
            return _refused(self.form_invalid(form), seconds)
        mail.later(partial(form.save, **self._mail()))
        return redirect(self.success_url)

    def _mail(self) -> dict[str, Any]:
        """What the mail needs of the request, which is over when it is written."""
        return {
            "domain_override": self.request.get_host(),
            "use_https": self.request.is_secure(),
            "subject_template_name": self.subject_template_name,
            "email_template_name": self.email_template_name,
            "extra_email_context": {"language": translation.get_language()},
        }


class ResetConfirm(auth.PasswordResetConfirmView):
    """Behind the link of a mail: its token leaves the address at once, and opens one new password."""

    http_method_names = FORM
    form_class = ForgottenPassword
    template_name, success_url = "registration/reset_confirm.html", reverse_lazy("login")


def _registering(request: HttpRequest, form: Registration) -> HttpResponse:
    told = {"form": form, "needs_invitation": settings.REGISTRATION == INVITATION}
    return render(request, "registration/register.html", told)


def _refused(answer: HttpResponse, seconds: float) -> HttpResponse:
    answer.status_code = 429
    answer["Retry-After"] = str(round(seconds + 0.5))
    return answer


def _settled(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """What this browser's guest chose is the account's where it had no choice, and the account's is the browser's."""
    preferences.merge(
        request.user, preferences.of_cookies(request.COOKIES) | _stored(request.POST.get("preferences", ""))
    )
    kept = preferences.of(request.user.pk)
    for cookie, name in preferences.COOKIES.items():
        if name in kept:
            answer.set_cookie(cookie, kept[name].replace("/", "%2F"), max_age=YEAR_SECONDS, samesite="Lax")
    return answer


def _stored(text: str) -> dict[str, Any]:
    """What a script says that the browser keeps beyond cookies."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
