"""The screens that people keep, for staff to look at."""

from django.contrib import admin

from analysis.models import Screen
from monitoring.admin import ReadOnly


@admin.register(Screen)
class ScreenAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["name", "owner", "is_shared", "created_at", "changed_at"]
    list_filter = ["is_shared"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username"]
    exclude = ["token"]
