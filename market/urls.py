"""Paths of the market's REST interface."""

from market.api import actions, bars, quotes, records, symbols
from monitoring.paths import path

urlpatterns = [
    path("api/v2/symbols/", symbols.Symbols.as_view()),
    path("api/v2/symbols/<written:symbol>/bars/", bars.Bars.as_view()),
    path("api/v2/symbols/<written:symbol>/quote/", quotes.OneQuote.as_view()),
    path("api/v2/symbols/<written:symbol>/records/", records.Records.as_view()),
    path("api/v2/symbols/<written:symbol>/actions/", actions.Actions.as_view()),
    path("api/v2/symbols/<written:symbol>/", symbols.OneSymbol.as_view()),
    path("api/v2/technical-analysis/prices/batch", quotes.Prices.as_view()),
    path("async/symbols/batch", quotes.PricesByOlderName.as_view()),
]
