"""The entries of the catalogue, one an indicator. To add one, read its neighbour."""

from analysis.indicators.entries import (
    averages,
    bands,
    levels,
    mathematics,
    momentum,
    patterns,
    trend,
    volatility,
    volume,
)

_FOLDERS = (averages, bands, momentum, trend, volatility, volume, levels, mathematics, patterns)
GROUPS = {entry.name: folder.__name__.rpartition(".")[2] for folder in _FOLDERS for entry in folder.ENTRIES}
ENTRIES = {entry.name: entry for folder in _FOLDERS for entry in folder.ENTRIES}
