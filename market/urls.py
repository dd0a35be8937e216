"""Paths of the market's REST interface, below /api/v2/."""

from django.urls import path

from market import api

urlpatterns = [
    path("symbols/", api.Symbols.as_view()),
    path("symbols/<str:symbol>/", api.OneSymbol.as_view()),
    path("symbols/<str:symbol>/bars/", api.Bars.as_view()),
    path("symbols/<str:symbol>/quote/", api.OneQuote.as_view()),
    path("symbols/<str:symbol>/records/", api.Records.as_view()),
    path("symbols/<str:symbol>/actions/", api.Actions.as_view()),
    path("technical-analysis/prices/batch", api.Prices.as_view()),
]
