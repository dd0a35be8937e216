"""What is told of key figures, and why there are none."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from market.figures.keeping import COLUMNS
from market.figures.values import BESIDE, NAMES, NOT_APPLICABLE, PAST, of_kind
from market.models import KeyFigures
from market.prices import SECOND, instant

# Why none of a symbol are told; also NOT_APPLICABLE.
SOURCE_HAS_NONE = "source_has_none"
NOT_ASKED_YET = "not_asked_yet"
_PLAIN = ("currency", "reporting_currency", "market_cap", "price_earnings", "earnings_per_share",
          "dividend_yield_percent", "is_earnings_date_estimated", "missing", "kept", "source")  # fmt: skip
_DATES = ("earnings_date", "earnings_date_to", "ex_dividend_date")
_NONE = dict.fromkeys(("currency", "reporting_currency", *COLUMNS)) | {"missing": {}, "kept": {}}
_NONE |= dict.fromkeys(("as_of", "as_of_precision", "received_at", "source"))


def latest(symbols: Collection[Mapping], now: datetime, *, can: bool) -> dict[str, dict[str, Any]]:
    """The key figures of each symbol by its ticker, ready for JSON, in one query.

    symbols: `symbol`, `asset_type` and `time_zone` of each. can: whether the source of this database tells any.
    """
    asked = [each["symbol"] for each in symbols if can and of_kind(each["asset_type"])]
    columns = ("symbol__ticker", *_PLAIN, *_DATES, "as_of", "received_at")
    rows = KeyFigures.objects.filter(symbol__ticker__in=asked).order_by().values(*columns) if asked else ()
    found = {row.pop("symbol__ticker"): row for row in rows}
    return {each["symbol"]: _of(each, found.get(each["symbol"]), now, can=can) for each in symbols}


def _of(symbol: Mapping, row: dict | None, now: datetime, *, can: bool) -> dict[str, Any]:
    possible = of_kind(symbol["asset_type"])
    if row is None or not possible or not can:
        return {"reason": SOURCE_HAS_NONE if not can else NOT_ASKED_YET if possible else NOT_APPLICABLE, **_NONE}
    told = {name: row[name] for name in _PLAIN}
    told |= {name: row[name] and str(row[name]) for name in _DATES}
    told["missing"] = dict.fromkeys((name for name in NAMES if name not in possible), _OF_OTHERS) | row["missing"]
    _without_what_is_past(told, row, now.astimezone(ZoneInfo(symbol["time_zone"])).date())
    dated = {"as_of": instant(row["as_of"]), "as_of_precision": SECOND, "received_at": instant(row["received_at"])}
    return {"reason": None, **_NONE, **told, **dated}


_OF_OTHERS = {"reason": NOT_APPLICABLE, "since": None}


def _without_what_is_past(told: dict, row: Mapping, today: date) -> None:
    """A next day of earnings that is over is none, though nobody has told another yet."""
    last = row["earnings_date_to"] or row["earnings_date"]
    if last is None or last >= today:
        return
    told |= dict.fromkeys(("earnings_date", *BESIDE["earnings_date"]))
    since = str(last + timedelta(days=1))
    told["missing"] = {**told["missing"], "earnings_date": {"reason": PAST, "since": since}}
    told["kept"] = {name: why for name, why in told["kept"].items() if name != "earnings_date"}
