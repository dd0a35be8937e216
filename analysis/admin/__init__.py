"""What is computed from bars, and what people keep, for staff to look at."""

from analysis.admin.rows import IndicatorRowAdmin
from analysis.admin.screens import ScreenAdmin
from analysis.admin.signals import SignalAdmin, SignalSpanAdmin, UntoldSignalAdmin

__all__ = ["IndicatorRowAdmin", "ScreenAdmin", "SignalAdmin", "SignalSpanAdmin", "UntoldSignalAdmin"]
