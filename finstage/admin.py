"""The people and programs with an account, and their keys, for who runs Finstage."""

from datetime import datetime

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from finstage.access import keys
from finstage.models import ApiKey, Invitation, User
from market.prices import instant
from monitoring import audit, shown

admin.site.site_header = admin.site.site_title = "Finstage"
admin.site.index_title = _("What Finstage holds")

STATES = {"live": _("live"), "expired": _("expired"), "revoked": _("revoked")}
BADGES = {"live": "completed", "expired": "timed_out", "revoked": "cancelled"}


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ["username", "first_name", "email", "told_state", "is_staff", "seen"]

    @admin.display(description=_("state"), ordering="is_active")
    def told_state(self, user: User) -> str:
        return shown.badge("completed", _("active")) if user.is_active else shown.badge("cancelled", _("not active"))

    @admin.display(description=_("last login"), ordering="last_login")
    def seen(self, user: User) -> str:
        return shown.ago(user.last_login)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """What a key may can be changed here; the key itself was told once, and is nowhere. None is deleted: who asks what
    it was finds it.
    """

    list_display = [
        *("name", "prefix", "owner", "may_read", "may_write", "may_staff", "told_state", "ends", "used"),
    ]
    list_filter = ["may_staff", "may_write", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["owner"]
    search_fields = ["name", "prefix", "owner__username"]
    ordering = ["-id"]
    fields = [
        *("name", "prefix", "owner", "may_read", "may_write", "may_staff", "expires_at"),
        *("created_at", "last_used_at", "revoked_at", "made_by"),
    ]
    readonly_fields = ["prefix", "owner", "created_at", "last_used_at", "revoked_at", "made_by"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm, change: bool) -> None:
        told = {name: [_plain(form.initial.get(name)), _plain(form.cleaned_data[name])] for name in form.changed_data}
        with audit.act(request, "keys.change", str(obj), id=obj.pk, owner=obj.owner.username, changed=told):
            super().save_model(request, obj, form, change)

    @admin.display(description=_("state"))
    def told_state(self, key: ApiKey) -> str:
        return shown.badge(BADGES[key.state], STATES[key.state])

    @admin.display(description=_("expires"), ordering="expires_at")
    def ends(self, key: ApiKey) -> str:
        return shown.ago(key.expires_at)

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, key: ApiKey) -> str:
        return shown.ago(key.last_used_at)

    @admin.action(description=_("Revoke the selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        for row in chosen.select_related("owner"):
            with audit.act(request, "keys.revoke", str(row), id=row.pk, owner=row.owner.username) as outcome:
                outcome["revoked"] = keys.revoke(row.pk)
        self.message_user(request, _("They open nothing any more, within 5 s everywhere."))


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    """They are made at /account/, where their code is shown once; one that is deleted here opens nothing any more."""

    list_display = ["prefix", "made_by", "made", "ends", "told_state", "used_by"]
    list_select_related = ["made_by", "used_by"]
    ordering = ["-id"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.display(description=_("created"), ordering="made_at")
    def made(self, invitation: Invitation) -> str:
        return shown.ago(invitation.made_at)

    @admin.display(description=_("expires"), ordering="expires_at")
    def ends(self, invitation: Invitation) -> str:
        return shown.ago(invitation.expires_at)

    @admin.display(description=_("state"))
    def told_state(self, invitation: Invitation) -> str:
        if invitation.used_at:
            return shown.badge("completed", _("used"))
        is_over = invitation.expires_at <= timezone.now()
        return shown.badge("timed_out", _("expired")) if is_over else shown.badge("pending", _("unused"))


def _plain(value: object) -> object:
    """As JSON has it."""
    return instant(value) if isinstance(value, datetime) else value
