"""Signals, and how far they have been computed, for staff to look at."""

from django.contrib import admin

from analysis.models import Signal, SignalSpan, UntoldSignal
from market.admin import OF_SOURCE, SymbolFacts


@admin.register(Signal)
class SignalAdmin(SymbolFacts):
    list_display = [
        "symbol", "interval", "rule", "direction", "session_date", "state", "holds", "price", "seen_by", "seen_at",
        "told_source",
    ]  # fmt: skip
    list_filter = ["state", "direction", "seen_by", "interval", OF_SOURCE]
    ordering = ["-opened_at", "-id"]


@admin.register(SignalSpan)
class SignalSpanAdmin(SymbolFacts):
    list_display = ["symbol", "interval", "since", "session_date", "computed_at", "pass_number"]
    list_filter = ["interval"]
    ordering = ["symbol__ticker", "interval"]


@admin.register(UntoldSignal)
class UntoldSignalAdmin(SymbolFacts):
    list_display = ["signal"]
    list_select_related = ["signal"]
    search_fields = ["signal__symbol__ticker"]
    ordering = ["id"]
