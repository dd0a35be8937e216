"""What a write moves, whoever wrote: by it a write is noticed of a version of ours that knows no coverage.

A version before writes bars, corrections and actions, and leaves the row beside them as it was. Every read of a version
looks at what such a write moves, in the same statement; each look is at one end of an index, or at a few rows.
What only a count can tell, a session that was put between others, is counted at each start and after each loading.
"""

from functools import lru_cache

from django.db import connection
from django.db.models import Count, Max, Min

from market.models import Bar, BarRevision, CorporateAction, Coverage, Symbol

KEPT = ("first_held", "last_held", "corrections", "acted_at")
_TABLES = {"bars": Bar, "revisions": BarRevision, "actions": CorporateAction, "covered": Coverage, "symbols": Symbol}
# Written out, as it is read with every answer: to build it of querysets takes two milliseconds.
_IS_STRANGE = """NOT (
    covered.first_held {same}
        (SELECT MIN(opened_at) FROM {bars} b WHERE b.symbol_id = {key} AND b.{interval} = {name})
    AND covered.last_held {same}
        (SELECT MAX(opened_at) FROM {bars} b WHERE b.symbol_id = {key} AND b.{interval} = {name})
    AND COALESCE(covered.corrections, 0) =
        (SELECT COUNT(*) FROM {revisions} r WHERE r.symbol_id = {key} AND r.{interval} = {name})
    AND covered.acted_at {same} (SELECT MAX(received_at) FROM {actions} a WHERE a.symbol_id = {key}))"""
_OF_ROWS = """SELECT covered.symbol_id, covered.{interval} FROM {covered} covered
    WHERE covered.symbol_id IN ({{symbols}}) AND covered.{interval} IN ({{intervals}}) AND {is_strange}"""
_OF_SYMBOLS = """SELECT named.ticker, named.id, covered.version, {is_strange} FROM {symbols} named
    LEFT JOIN {covered} covered ON covered.symbol_id = named.id AND covered.{interval} = %s
    WHERE named.ticker IN ({{tickers}})"""


@lru_cache(maxsize=2)
def of_rows(vendor: str) -> str:
    """The keys of those rows beside which others wrote; `symbols` and `intervals` are to be marks."""
    names = _names(vendor)
    is_strange = _IS_STRANGE.format(key="covered.symbol_id", name=f"covered.{names['interval']}", **names)
    return _OF_ROWS.format(is_strange=is_strange, **names)


@lru_cache(maxsize=2)
def of_symbols(vendor: str) -> str:
    """Ticker, key, version and the same of symbols; takes the interval four times, and `tickers` are to be marks."""
    names = _names(vendor)
    return _OF_SYMBOLS.format(is_strange=_IS_STRANGE.format(key="named.id", name="%s", **names), **names)


def found(row: Coverage) -> tuple:
    """What the tables say now, as KEPT, and the count of bars."""
    own = {"symbol_id": row.symbol_id, "interval": row.interval}
    held = Bar.objects.filter(**own).aggregate(first=Min("opened_at"), last=Max("opened_at"), many=Count("opened_at"))
    corrections = BarRevision.objects.filter(**own).count()
    acted_at = CorporateAction.objects.filter(symbol_id=row.symbol_id).aggregate(at=Max("received_at"))["at"]
    return held["first"], held["last"], corrections, acted_at, held["many"]


def marks(values: object) -> str:
    return ", ".join(["%s"] * len(values))


def _names(vendor: str) -> dict[str, str]:
    """How tables, columns and "equal, also where both are NULL" are written."""
    tables = {name: connection.ops.quote_name(model._meta.db_table) for name, model in _TABLES.items()}
    return {**tables, "interval": connection.ops.quote_name("interval"), "same": "<=>" if vendor == "mysql" else "IS"}
