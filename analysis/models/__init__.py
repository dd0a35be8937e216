"""What is computed from bars and kept."""

from analysis.models.rows import BEFORE, OUTPUTS, IndicatorRow

__all__ = ["BEFORE", "OUTPUTS", "IndicatorRow"]
