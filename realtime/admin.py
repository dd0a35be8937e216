"""Alert rules to change, alerts to look at, and symbols to rename, with all that is told of them."""

import logging
from importlib import import_module

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from market import admin as market
from market import sources, symbols
from market.models import Symbol
from monitoring import shown
from realtime.models import SEVERITIES, Alert, AlertRule

logger = logging.getLogger(__name__)
KINDS = dict(AlertRule.kind.field.choices)
BADGES = {"info": "pending", "warning": "retrying", "critical": "failed"}
admin.site.unregister(Symbol)


def kind_of_alert(kind: str) -> object:
    return KINDS.get(kind, kind)


def severity(name: str) -> object:
    return dict(SEVERITIES).get(name, name)


class RenameForm(ActionForm):
    to = forms.CharField(label=_("New ticker:"), required=False, max_length=symbols.LONGEST)


@admin.register(Symbol)
class SymbolAdmin(market.SymbolAdmin):
    """The market's own, and another ticker for a symbol, which moves what is told by the old one."""

    action_form = RenameForm
    actions = [*market.SymbolAdmin.actions, "rename"]

    @admin.action(description=_("Rename the selected symbol"), permissions=["change"])
    def rename(self, request: HttpRequest, chosen: QuerySet[Symbol]) -> None:
        to = request.POST.get("to", "")
        if not to.strip() or len(chosen) != 1:
            self.message_user(request, _("Select one symbol and say its new ticker."), messages.ERROR)
            return
        [symbol] = chosen
        renaming = import_module("realtime.renaming")  # by name: it brings TA-Lib, and every process reads this module
        try:
            done = renaming.rename(symbol.ticker, to)
        except (symbols.InvalidTicker, symbols.NameTaken) as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        except RedisError as error:  # which comes last: the rows have changed
            logger.warning("%s was renamed; what Redis holds is not moved yet: %s", symbol, error)
            self.message_user(request, _("It is renamed; a feed moves what Redis holds as soon as that answers."))
            return
        self.log_change(request, done.symbol, f"{done.old} → {done.new}")
        self.message_user(request, _("%(old)s is %(new)s now.") % {"old": done.old, "new": done.new})


@admin.register(AlertRule)
class AlertRuleAdmin(admin.ModelAdmin):
    list_display = ["__str__", "symbol", "owner", "severity", "is_active"]
    list_filter = ["kind", "severity", "is_active"]
    list_select_related = ["symbol", "owner"]
    raw_id_fields = ["symbol", "owner"]


@admin.register(Alert)
class AlertAdmin(admin.ModelAdmin):
    """What happened is not edited."""

    list_display = ["says", "symbol", "told_kind", "told_severity", "session_date", "told_source", "told"]
    list_filter = [
        ("kind", shown.worded(kind_of_alert)), ("severity", shown.worded(severity)),
        ("source", shown.worded(sources.title)),
    ]  # fmt: skip
    list_select_related = ["symbol"]
    search_fields = ["symbol__ticker", "message"]
    date_hierarchy = "session_date"

    @admin.display(description=_("What rang"), ordering="id")
    def says(self, alert: Alert) -> str:
        return alert.says

    @admin.display(description=_("kind"), ordering="kind")
    def told_kind(self, alert: Alert) -> object:
        return kind_of_alert(alert.kind)

    @admin.display(description=_("severity"), ordering="severity")
    def told_severity(self, alert: Alert) -> str:
        return shown.badge(BADGES.get(alert.severity, "pending"), severity(alert.severity))

    @admin.display(description=_("source"), ordering="source")
    def told_source(self, alert: Alert) -> str:
        return sources.title(alert.source)

    @admin.display(description=_("published at"), ordering="published_at")
    def told(self, alert: Alert) -> str:
        return shown.ago(alert.published_at)

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False
