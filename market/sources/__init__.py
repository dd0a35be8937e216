"""Where prices come from.

    contract        what every source can do
    registry        which there are, and which of them this database holds
    errors          what can go wrong with one

    yahoo/          the live one
    replay/         the recorded one

What any of them may use:

    pace            one pace for every process that asks
    inbox           the newest of a stream and a poll
    loader          the whole history of each symbol, in the background
"""

from market.sources.contract import Rewind, Source, Tick
from market.sources.errors import ProviderError, WrongSource
from market.sources.registry import ANSWER_SECONDS, SOURCES, choose, source

__all__ = [
    "ANSWER_SECONDS",
    "SOURCES",
    "ProviderError",
    "Rewind",
    "Source",
    "Tick",
    "WrongSource",
    "choose",
    "source",
]
