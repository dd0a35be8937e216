"""A watchlist: its symbols with what a list shows of them, in a handful of queries whatever their number."""

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from analysis import summary
from analysis.summary import IndicatorValues
from market import actions, figures, quotes, records, sources, symbols, watchlists
from market.actions.adjustments import Factors
from market.bars import stored
from market.calendars import clock, openings
from market.coverage import told
from market.history import progress
from market.intervals import DAY
from market.models import DataSource, Record, Symbol, SymbolQuerySet

SPARKLINE_SESSIONS = 30
SHOWN = {"rsi_14": "rsi", "sma_20": "sma"}  # indicators, and the output of each
REFERENCE = ("name", "local_name", "exchange", "currency", "asset_type", "price_decimals", "time_zone")
LISTED = ("id", "name", "is_own", "changed_at")
_FACTS = ("high", "high_date", "low", "low_date", "since")
_OLDEST_SHOWN = stored.opening_of_newest(SPARKLINE_SESSIONS)


def listed(owner_id: int | None, name: str = watchlists.DEFAULT) -> dict[str, Any]:
    """A person's list, as GET /api/v2/watchlists/default/ answers: with `source`, `market`, `markets`, `backfill` and
    `symbols`. Raises watchlists.Unknown.
    """
    told, symbols = watchlists.opened(owner_id, name)
    facts = {name: getattr(told, name) for name in LISTED}
    return {**facts, **surroundings(), "symbols": _rows(symbols)}


def of(ticker: str) -> dict[str, Any] | None:
    """The same of one symbol, tracked or not, with its key figures: `symbol` instead of `symbols`; None if there is
    none.
    """
    rows = _rows(Symbol.objects.filter(ticker=ticker))
    told = figures.latest(rows, datetime.now(UTC), can=sources.can("figures"))
    return {**surroundings(), "symbol": {**rows[0], "key_figures": told[ticker]}} if rows else None


def to_replay(owner_id: int | None, texts: Sequence[str]) -> dict[str, Any]:
    """What a replay of some symbols needs to begin with; without any, of a person's list.

    `symbols`: what they are; `unknown`: the texts that name none; `first` and `last`: the days between which daily bars
    of any of them are held, None where there are none.
    """
    known = symbols.found(texts)
    named = {row.ticker: row for row in known.values()}
    rows = list(named.values()) if texts else list(watchlists.opened(owner_id, watchlists.DEFAULT)[1])
    spans = told.held([row.ticker for row in rows], DAY.name).values()
    return {
        **surroundings(),
        "rows": [{"symbol": row.ticker, **{name: getattr(row, name) for name in REFERENCE}} for row in rows],
        "unknown": [text for text in texts if text not in known],
        "first": min((span.first[:10] for span in spans if span.first), default=None),
        "last": max((span.last[:10] for span in spans if span.last), default=None),
    }


def surroundings() -> dict[str, Any]:
    """What every page of prices tells beside them: the source, the exchanges, and how far history has come."""
    clocks = [clock.as_json(told) for told in clock.all_latest(datetime.now(UTC))]
    source = _source()
    # A recording has all of its history from the start.
    backfill = progress.latest() if source and not source["is_recorded"] else None
    return {"source": source, "market": clock.latest(), "markets": clocks, "backfill": backfill}


def _source() -> dict | None:
    """The one source of this database's prices; None before the first start has chosen it."""
    row = DataSource.objects.filter(pk=1).values("name", "epoch").first()
    return row and {"name": row["name"], "is_recorded": sources.about(row["name"]).is_recorded, "epoch": row["epoch"]}


def _rows(symbols: SymbolQuerySet) -> list[dict[str, Any]]:
    rows = _seen(symbols, datetime.now(UTC))
    values = summary.latest([row["symbol"] for row in rows])
    return [{**row, "indicators": _indicators(values[row["symbol"]])} for row in rows]


def _indicators(values: IndicatorValues | None) -> dict[str, float | None]:
    """What a list shows of them, each one number; None until the feed has told it."""
    told = {} if values is None else values.values
    return {key: told.get(key, {}).get(output) for key, output in SHOWN.items()}


def _seen(wanted: SymbolQuerySet, now: datetime) -> list[dict]:
    """Each wanted symbol with its quote, closes, average volume and records. now: the wall's clock."""
    symbols = list(wanted.annotate(since=_OLDEST_SHOWN).values("id", "ticker", "since", *REFERENCE))
    tickers = [symbol["ticker"] for symbol in symbols]
    latest, splits = quotes.latest(tickers), actions.splits(tickers)
    opened = openings.latest({symbol["exchange"] for symbol in symbols}, now)
    sessions, extremes = _sessions(symbols, splits), records.latest(tickers, splits)
    return [
        {
            "symbol": symbol["ticker"],
            **{name: symbol[name] for name in REFERENCE},
            "quote": (quote := latest[symbol["ticker"]]) and quotes.as_json(quote, now, opened[symbol["exchange"]]),
            **_recent(sessions[symbol["ticker"]]),
            "records": _extremes(extremes[symbol["ticker"]]),
        }
        for symbol in symbols
    ]


def _sessions(symbols: list[dict], splits: dict[str, Factors]) -> dict[str, list[tuple[float, float | None]]]:
    """Close and volume of each ticker's newest final sessions, in today's shares, oldest first."""
    tickers = {symbol["id"]: symbol["ticker"] for symbol in symbols}
    sessions: dict[str, list] = {ticker: [] for ticker in splits}
    for bar in stored.sessions({symbol["id"]: symbol["since"] for symbol in symbols}):
        ticker = tickers[bar.symbol_id]
        price, shares = splits[ticker].at(bar.session_date)
        sessions[ticker].append((bar.close * price, None if bar.volume is None else bar.volume * shares))
    return sessions


def _recent(sessions: list[tuple[float, float | None]]) -> dict:
    volumes = [volume for _, volume in sessions if volume is not None]
    return {
        "sparkline": [close for close, _ in sessions],
        "average_volume": round(fmean(volumes)) if volumes else None,
    }


def _extremes(scopes: dict[str, Record]) -> dict[str, dict | None] | None:
    """The highs and lows of each scope; None before the first were computed."""
    if not scopes:
        return None
    shown = {scope: {name: getattr(record, name) for name in _FACTS} for scope, record in scopes.items()}
    return dict.fromkeys(Record.Scope.values) | shown
