"""Paths of the analysis' REST interface."""

from analysis import api
from monitoring.paths import path

urlpatterns = [
    path("api/v2/technical-analysis/indicators/<str:symbol>", api.Indicators.as_view()),
    path("api/v2/watchlists/default/", api.DefaultWatchlist.as_view()),
]
