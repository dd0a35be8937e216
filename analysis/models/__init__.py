"""What is computed from bars and kept, and what people ask of it."""

from analysis.models.rows import BEFORE, OUTPUTS, IndicatorRow
from analysis.models.screens import Screen
from analysis.models.signals import Signal, SignalSpan, UntoldSignal

__all__ = ["BEFORE", "OUTPUTS", "IndicatorRow", "Screen", "Signal", "SignalSpan", "UntoldSignal"]
