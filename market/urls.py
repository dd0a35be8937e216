"""Paths of the market's REST interface."""

from market.api import actions, bars, exchanges, many, records, symbols
from market.api.data import coverage, disputes, gaps, quarantine
from market.api.quotes import movers, one
from market.api.restatements import listed
from market.api.source import health, pausing, replaying
from monitoring.paths import path

urlpatterns = [
    path("api/v2/symbols/", symbols.Symbols.as_view()),
    path("api/v2/symbols/<written:symbol>/bars/", bars.Bars.as_view()),
    path("api/v2/symbols/<written:symbol>/quote/", one.OneQuote.as_view()),
    path("api/v2/symbols/<written:symbol>/records/", records.Records.as_view()),
    path("api/v2/symbols/<written:symbol>/actions/", actions.Actions.as_view()),
    path("api/v2/symbols/<written:symbol>/restatements/", listed.RestatementsOfOne.as_view()),
    path("api/v2/symbols/<written:symbol>/gaps/", gaps.Gaps.as_view()),
    path("api/v2/symbols/<written:symbol>/", symbols.OneSymbol.as_view()),
    path("api/v2/exchanges/", exchanges.Exchanges.as_view()),
    path("api/v2/exchanges/<written:exchange>/", exchanges.OneExchange.as_view()),
    path("api/v2/bars/", many.ManyBars.as_view()),
    path("api/v2/restatements/", listed.Restatements.as_view()),
    path("api/v2/movers/", movers.Movers.as_view()),
    path("api/v2/quotes/", many.ManyQuotes.as_view()),
    path("api/v2/coverage/", coverage.Coverages.as_view()),
    path("api/v2/quarantine/", quarantine.Quarantine.as_view()),
    path("api/v2/quarantine/<int:bar_id>/release", quarantine.Release.as_view()),
    path("api/v2/disputes/", disputes.Disputes.as_view()),
    path("api/v2/disputes/<int:action_id>/decide", disputes.Decide.as_view()),
    path("api/v2/source/", health.Health.as_view()),
    path("api/v2/source/pause", pausing.Pause.as_view()),
    path("api/v2/source/resume", pausing.Resume.as_view()),
    path("api/v2/replay/", replaying.Player.as_view()),
    path("api/v2/replay/live", replaying.GoLive.as_view()),
    path("api/v2/technical-analysis/prices/batch", one.Prices.as_view()),
    path("async/symbols/batch", one.PricesByOlderName.as_view()),
]
