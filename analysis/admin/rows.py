"""The newest indicators of each symbol, for staff to look at."""

from django.contrib import admin

from analysis.models import IndicatorRow
from market.admin import OF_SOURCE, SymbolFacts


@admin.register(IndicatorRow)
class IndicatorRowAdmin(SymbolFacts):
    list_display = [
        "symbol", "interval", "session_date", "close", "rsi_14", "sma_20", "sma_50", "sma_200", "macd", "adx_14",
        "computed_at", "told_source",
    ]  # fmt: skip
    list_filter = ["interval", OF_SOURCE]
    ordering = ["symbol__ticker", "interval"]
