"""What the market is, in rows: symbols, their bars and snapshots, and what companies did to their shares."""

from market.models.actions import CorporateAction, SupersededAction
from market.models.bars import Bar, BarRevision
from market.models.coverage import Coverage
from market.models.held_back import Confirmation, MarkedBar, ProvisionalBar, QuarantinedBar
from market.models.records import Record
from market.models.snapshots import Snapshot
from market.models.source import DataSource
from market.models.symbols import Symbol, SymbolAlias, SymbolQuerySet

__all__ = [
    "Bar",
    "BarRevision",
    "Confirmation",
    "CorporateAction",
    "Coverage",
    "DataSource",
    "MarkedBar",
    "ProvisionalBar",
    "QuarantinedBar",
    "Record",
    "Snapshot",
    "SupersededAction",
    "Symbol",
    "SymbolAlias",
    "SymbolQuerySet",
]
