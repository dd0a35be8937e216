"""Paths of the market's REST interface."""

from market import api
from monitoring.paths import path

urlpatterns = [
    path("api/v2/symbols/", api.Symbols.as_view()),
    path("api/v2/symbols/<str:symbol>/", api.OneSymbol.as_view()),
    path("api/v2/symbols/<str:symbol>/bars/", api.Bars.as_view()),
    path("api/v2/symbols/<str:symbol>/quote/", api.OneQuote.as_view()),
    path("api/v2/symbols/<str:symbol>/records/", api.Records.as_view()),
    path("api/v2/symbols/<str:symbol>/actions/", api.Actions.as_view()),
    path("api/v2/technical-analysis/prices/batch", api.Prices.as_view()),
    path("async/symbols/batch", api.PricesByOlderName.as_view()),
]
