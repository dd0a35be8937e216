"""Paths of the analysis' REST interface."""

from analysis.api import indicators, watchlist
from monitoring.paths import path

urlpatterns = [
    path("api/v2/technical-analysis/indicators/<written:symbol>", indicators.Indicators.as_view()),
    path("api/v2/watchlists/default/", watchlist.DefaultWatchlist.as_view()),
]
