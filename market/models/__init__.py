"""What the market is, in rows: symbols, their bars and snapshots, and what companies did to their shares."""

from market.models.actions import CorporateAction, Decision, SupersededAction
from market.models.bars import Bar, BarRevision, Confirmation, MarkedBar, ProvisionalBar, QuarantinedBar
from market.models.calendars import TradingYear
from market.models.coverage import Coverage
from market.models.figures import KeyFigures
from market.models.records import NewestRecord, Record
from market.models.snapshots import Snapshot
from market.models.source import DataSource, PlayerWish
from market.models.symbols import Symbol, SymbolAlias, SymbolQuerySet, WatchedSymbol, Watchlist

__all__ = [
    "Bar",
    "BarRevision",
    "Confirmation",
    "CorporateAction",
    "Coverage",
    "DataSource",
    "Decision",
    "KeyFigures",
    "MarkedBar",
    "NewestRecord",
    "PlayerWish",
    "ProvisionalBar",
    "QuarantinedBar",
    "Record",
    "Snapshot",
    "SupersededAction",
    "Symbol",
    "SymbolAlias",
    "SymbolQuerySet",
    "TradingYear",
    "WatchedSymbol",
    "Watchlist",
]
