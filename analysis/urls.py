"""Paths of the analysis' REST interface."""

from analysis.api import batch, catalogue, comprehensive, indicators, lists, technical, watchlist
from analysis.api.screener import asking, kept
from analysis.api.signals import listed, marks, rating
from monitoring.paths import path

urlpatterns = [
    path("api/v2/technical-analysis/catalogue", catalogue.Catalogue.as_view()),
    path("api/v2/technical-analysis/batch/indicators", batch.BatchIndicators.as_view()),
    path("api/v2/technical-analysis/analysis/comprehensive", comprehensive.Comprehensive.as_view()),
    path("api/v2/technical-analysis/indicators/<written:symbol>", indicators.Indicators.as_view()),
    path("api/v2/technical-analysis/rating/<written:symbol>", rating.Rating.as_view()),
    path("api/v2/signals/", listed.Signals.as_view()),
    path("api/v2/signals/rules/", listed.Rules.as_view()),
    path("api/v2/symbols/<written:symbol>/signals/marks/", marks.Marks.as_view()),
    path("technical-analysis/<written:symbol>", technical.TechnicalState.as_view()),
    path("api/v2/screener/", asking.Screener.as_view()),
    path("api/v2/screens/", kept.Screens.as_view()),
    path("api/v2/screens/<str:screen>/", kept.OneScreen.as_view()),
    path("api/v2/watchlists/", lists.Watchlists.as_view()),
    path("api/v2/watchlists/<str:watchlist>/", watchlist.OneWatchlist.as_view()),
    path("api/v2/watchlists/<str:watchlist>/symbols/<written:symbol>/", lists.Watched.as_view()),
]
