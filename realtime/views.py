"""The pages: the watchlist and a symbol. What they show first is what the public interface says at that moment."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from analysis import watchlist as watchlists
from market import symbols
from market.models import Symbol
from realtime.models import Alert

ALERTS = 20
ALERT_AGE = timedelta(days=30)

View = Callable[..., HttpResponse]


def _where_market_data_is_open(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if settings.MARKET_DATA_OPEN or request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path(), reverse("login"))

    return checked


@_where_market_data_is_open
def watchlist(request: HttpRequest) -> HttpResponse:
    return render(request, "watchlist.html", {"page": watchlists.default(), "alerts": _alerts()})


@_where_market_data_is_open
def symbol(request: HttpRequest, ticker: str) -> HttpResponse:
    row = symbols.found([ticker]).get(ticker)
    if row and row.ticker != ticker:
        return redirect("symbol", row.ticker)
    page = watchlists.of(ticker)
    if row is None or page is None:
        known = {"ticker": ticker[:32], "symbols": Symbol.objects.tracked()}
        return render(request, "unknown_symbol.html", known, status=404)
    told = {"page": page, "alerts": _alerts(symbol__ticker=ticker), "last_session": row.last_session}
    return render(request, "symbol.html", told)


def _alerts(**wanted) -> list[Alert]:
    """The newest alerts that everybody may see."""
    since = timezone.now() - ALERT_AGE
    found = Alert.objects.filter(owner=None, created_at__gte=since, **wanted)
    return list(found.select_related("symbol")[:ALERTS])
