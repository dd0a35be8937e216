"""Who uses Finstage, and with what."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.exact import ExactCharField


class User(AbstractUser):
    """A person or a program with an account; ours from the first migration, so that it can grow."""


class ApiKey(models.Model):
    """What a program shows in place of a login. It never allows more than its owner may now, nor than the key that
    made it: what a key may is read of all three, and nothing is copied.

    prefix: its public name. digest: what is kept of the whole.
    """

    READ, WRITE, STAFF = SCOPES = ("read", "write", "staff")

    owner = models.ForeignKey(User, models.CASCADE, related_name="api_keys", verbose_name=_("owner"))
    name = models.CharField(_("name"), max_length=100)
    prefix = ExactCharField(_("prefix"), max_length=12, unique=True)
    digest = ExactCharField(max_length=64)
    may_read = models.BooleanField(_("may read"), default=True)
    may_write = models.BooleanField(_("may write"), default=False)
    may_staff = models.BooleanField(_("may what staff may"), default=False)
    made_by = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="made")
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("API key"), _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def state(self) -> str:
        """By what it says itself; its owner and the key that made it may say otherwise."""
        if self.revoked_at is not None:
            return "revoked"
        return "live" if self.expires_at is None or self.expires_at > timezone.now() else "expired"

    @property
    def scopes(self) -> list[str]:
        """Those that it was given, in their order."""
        return [scope for scope in self.SCOPES if getattr(self, f"may_{scope}")]


class Preference(models.Model):
    """One thing that a person chose about how pages look and work."""

    # Without a constraint: the version before knows nothing of these rows and deletes people.
    owner = models.ForeignKey(User, models.CASCADE, related_name="preferences", db_constraint=False)
    name = ExactCharField(max_length=64)
    value = models.TextField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="preference_once")]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class Login(models.Model):
    """A browser in which somebody is logged in. Its row goes with its session."""

    # Without a constraint: the version before knows nothing of these rows and deletes people.
    owner = models.ForeignKey(User, models.CASCADE, related_name="logins", db_constraint=False)
    session_key = ExactCharField(max_length=40, unique=True)
    agent = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=64, blank=True)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.owner_id} since {self.began_at:%Y-%m-%d %H:%M}"


class Invitation(models.Model):
    """What lets one person make an account. prefix: its public name. digest: what is kept of the whole."""

    prefix = ExactCharField(_("prefix"), max_length=12, unique=True)
    digest = ExactCharField(max_length=64)
    made_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_constraint=False, verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True)
    used_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_constraint=False, verbose_name=_("used by")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("invitation"), _("invitations")

    def __str__(self) -> str:
        return self.prefix
