"""What is computed from bars, for staff to look at."""

from analysis.admin.rows import IndicatorRowAdmin

__all__ = ["IndicatorRowAdmin"]
