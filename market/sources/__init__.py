"""Where prices come from.

    contract        what a source is, and what each can do
    registry        which there are, and which of them this database holds
    errors          what can go wrong with one

    yahoo/          the live one
    replay/         the recorded one

What any of them may use:

    pace/           one pace for every process that asks
    negatives       what a source said no to, and is not asked again at once
    inbox           the newest of a stream and a poll
    adding          symbols that people add
    delisting       symbols that the source knows no more
"""

from market.sources.contract import About, Jump, Source, Tick
from market.sources.errors import ProviderError, WrongSource
from market.sources.registry import (
    ANSWER_SECONDS,
    SOURCES,
    about,
    can,
    choose,
    has_hours,
    held,
    load,
    portion,
    source,
    title,
)

__all__ = [
    "ANSWER_SECONDS",
    "SOURCES",
    "About",
    "Jump",
    "ProviderError",
    "Source",
    "Tick",
    "WrongSource",
    "about",
    "can",
    "choose",
    "has_hours",
    "held",
    "load",
    "portion",
    "source",
    "title",
]
