"""The pages. What they show first is what the public interface says at that moment."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis import watchlist as watchlists
from analysis import wording
from analysis.models import Signal
from analysis.screener import page as screening
from analysis.signals.catalogue import RULES
from market import figures, intervals, sources, symbols
from market.api.data import disputes, quarantine
from market.calendars import facts
from market.models import Symbol
from realtime.api.broadcast import LONGEST
from realtime.messages import CLOSE, MAX_SYMBOLS, TYPES, document, explained
from realtime.models import Alert

ALERTS = 20
DATA_ACTS = {"release": quarantine.RIGHT, "decide": disputes.RIGHT}
ALERT_AGE = timedelta(days=30)

# The clients of the live stream, as their page shows them.
CLIENTS = {
    "javascript": """\
import {{ Stream }} from "{origin}/static/stream/stream.js";

const stream = new Stream({{ url: "{origin}", token: "finstage_key_.." }});
stream.on("price_update", ({{ symbol, current_price }}) => console.log(symbol, current_price));
stream.on("lost", ({{ stream, rest }}) => console.log(stream, "has a hole; its facts are at", rest));
stream.subscribe("prices", ["AAPL", "MSFT"], {{ mode: "every" }}).open();""",
    "python": """\
from finstage_client import Stream

for message in Stream("{origin}", "prices", ["AAPL", "MSFT"], key="finstage_key_..", mode="every"):
    print(message)""",
    "curl": """\
curl -N '{origin}/api/v2/stream/?symbols=AAPL,MSFT&types=prices,alerts'""",
}

View = Callable[..., HttpResponse]


def _where_market_data_is_open(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if settings.MARKET_DATA_OPEN or request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path(), reverse("login"))

    return checked


def connections(request: HttpRequest) -> HttpResponse:
    """Who is connected, for staff. What it shows and does it asks the public interface, which looks at rights again."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("login"))
    if not request.user.is_staff:
        raise PermissionDenied
    return render(request, "connections.html", {"page": {"types": TYPES, "longest": LONGEST}})


@_where_market_data_is_open
def watchlist(request: HttpRequest) -> HttpResponse:
    return render(request, "watchlist.html", {"page": watchlists.listed(request.user.pk), "alerts": _alerts()})


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
    told |= {"has_room_beside": _has_room_beside(page), "figures": figures.of_kind(row.asset_type)}
    return render(request, "symbol.html", told)


@_where_market_data_is_open
def replay(request: HttpRequest) -> HttpResponse:
    """A past day or year as if it were live. What it plays its script asks of the stream, as its address says."""
    texts = [text for text in (part.strip() for part in request.GET.get("symbols", "").split(",")) if text]
    told = watchlists.to_replay(request.user.pk, texts[:MAX_SYMBOLS])
    may = settings.REPLAYS_FOR_GUESTS or request.user.is_authenticated
    return render(request, "replay.html", {"page": told, "may": may})


def _has_room_beside(page: dict) -> bool:
    """Whether a price of before or after the session may come to stand beside the close."""
    row, is_recorded = page["symbol"], bool(page["source"] and page["source"]["is_recorded"])
    stands = bool(row["quote"] and row["quote"]["extended"])
    return stands or (row["exchange"] in facts.EXTENDED and not is_recorded)


@_where_market_data_is_open
def data(request: HttpRequest) -> HttpResponse:
    """What is held and what is missing. What is shown and done there its scripts ask of the public interface."""
    may = {act: request.user.has_perm(right) for act, right in DATA_ACTS.items()}
    titles = {name: sources.title(name) for name in sources.SOURCES}
    page = {**watchlists.surroundings(), "may": may, "titles": titles}
    return render(request, "data.html", {"page": page, "intervals": [each.name for each in intervals.STORED]})


@_where_market_data_is_open
def screener(request: HttpRequest) -> HttpResponse:
    """Which symbols a condition holds for. What it asks its script asks of the public interface."""
    page = {**watchlists.surroundings(), "names": screening.names(), "operators": screening.operators()}
    told = {"page": page, "intervals": list(intervals.ALL)}
    return render(request, "screener.html", told)


@_where_market_data_is_open
def signals(request: HttpRequest) -> HttpResponse:
    """The feed of signals. What it shows its script asks of the public interface and of the stream."""
    rules = {name: wording.rule(rule) for name, rule in RULES.items()}
    words = {"directions": Signal.Direction.choices, "states": Signal.State.choices}
    page = {**watchlists.surroundings(), "rules": rules}
    page |= {name: {value: str(word) for value, word in choices} for name, choices in words.items()}
    told = {"page": page, "rules": sorted(rules.items(), key=lambda each: each[1]), **words}
    return render(request, "signals.html", told)


@_where_market_data_is_open
def demo(request: HttpRequest) -> HttpResponse:
    """A place to try the live stream. What may be said there its script reads from the protocol's schema."""
    closes = {code: _(explained.CLOSES[name]) for name, code in CLOSE.items()}
    return render(request, "demo.html", {"demo": {"is_open": settings.MARKET_DATA_OPEN, "closes": closes}})


def protocol(request: HttpRequest) -> HttpResponse:
    """What is said on the live stream, made from its schema."""
    groups = [
        {"id": "actions", "title": _("What a client says"), "parts": document.parts("actions")},
        {"id": "messages", "title": _("What the server says"), "parts": document.parts("messages")},
    ]
    codes = [
        {"id": "errors", "title": _("Codes of errors"), "codes": document.codes("error_codes")},
        {"id": "closes", "title": _("Codes of a close"), "codes": document.codes("close_codes")},
    ]
    origin = f"{request.scheme}://{request.get_host()}"
    clients = {name: text.format(origin=origin) for name, text in CLIENTS.items()}
    return render(request, "protocol.html", {"groups": groups, "codes": codes, "clients": clients})


def _alerts(**wanted) -> list[Alert]:
    """The newest alerts that everybody may see."""
    since = timezone.now() - ALERT_AGE
    found = Alert.objects.running().filter(owner=None, created_at__gte=since, **wanted)
    return list(found.select_related("symbol")[:ALERTS])
