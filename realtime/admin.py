"""Alert rules to change, alerts to look at."""

from django.contrib import admin

from realtime.models import Alert, AlertRule


@admin.register(AlertRule)
class AlertRuleAdmin(admin.ModelAdmin):
    list_display = ["__str__", "symbol", "owner", "severity", "is_active"]
    list_filter = ["kind", "severity", "is_active"]
    list_select_related = ["symbol", "owner"]
    raw_id_fields = ["symbol", "owner"]


@admin.register(Alert)
class AlertAdmin(admin.ModelAdmin):
    """What happened is not edited."""

    list_display = ["message", "symbol", "kind", "severity", "session_date", "source", "published_at"]
    list_filter = ["kind", "severity", "source"]
    list_select_related = ["symbol"]
    search_fields = ["symbol__ticker", "message"]
    date_hierarchy = "session_date"

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False
