"""The rows of a chart as columns of bars."""

from market.sources.yahoo.charts.columns.made import SOURCE, Chart, bars

__all__ = ["SOURCE", "Chart", "bars"]
