"""Bars: as traded, with what they were before a correction, and what came of them and is none, or not as it came."""

from market.models.bars.held_back import Confirmation, MarkedBar, ProvisionalBar, QuarantinedBar
from market.models.bars.traded import Bar, BarRevision

__all__ = ["Bar", "BarRevision", "Confirmation", "MarkedBar", "ProvisionalBar", "QuarantinedBar"]
