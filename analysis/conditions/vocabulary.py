"""The names that a condition may use: fields of a bar, records, indicators, signals. Pure."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from analysis.conditions.tree import FIELD, INDICATOR, RECORD, SIGNAL
from analysis.indicators import catalogue
from analysis.indicators.entry import Indicator

# `price` is the last one of the bar, which is its close once it has closed.
FIELDS = ("price", "open", "high", "low", "close", "volume", "change", "change_percent")
RECORDS = ("high_52w", "low_52w", "high_all", "low_all")
_LONGEST = 64
_NAME = re.compile(r"[a-z0-9_.]+")


class UnknownName(ValueError):
    """A name that there is not; the text says what there is."""


def _catalogued(name: str) -> Indicator | None:
    try:
        return catalogue.named(name)
    except catalogue.UnknownIndicator as error:
        raise UnknownName(f"there is {error}") from error


@dataclass(frozen=True)
class Vocabulary:
    """fields: of a bar, and of whatever else a reading brings. indicator: that of a name, None of none."""

    fields: Collection[str] = FIELDS
    signals: Collection[str] = ()
    indicator: Callable[[str], Indicator | None] = field(default=_catalogued)

    def checked(self, kind: str, name: object) -> str:
        """The one way to write a name of a kind. Raises UnknownName."""
        if not isinstance(name, str) or len(name) > _LONGEST or not _NAME.fullmatch(name):
            raise UnknownName("it must be a name such as close or rsi_14")
        if kind == INDICATOR:
            return self.named(name).key
        known = self._known[kind]
        if name not in known:
            raise UnknownName(f"there is no {kind} {name!r}; there are {', '.join(known) or 'none'}")
        return name

    def named(self, key: str) -> Indicator:
        """Raises UnknownName."""
        found = self.indicator(key)
        if found is None:
            raise UnknownName(f"there is no indicator {key!r}; the catalogue of indicators has them all")
        return found

    def output(self, key: str, output: object) -> str:
        """Which of an indicator's outputs; where none is said that of its own name."""
        indicator = self.named(key)
        if output is None and indicator.name in indicator.outputs:
            return indicator.name
        if not isinstance(output, str) or output not in indicator.outputs:
            raise UnknownName(f"the outputs of {key} are {', '.join(indicator.outputs)}; say which")
        return output

    def kind(self, name: str) -> str:
        """What a bare name is of: an indicator unless it is something else."""
        return next((kind for kind, known in self._known.items() if name in known), INDICATOR)

    @property
    def _known(self) -> Mapping[str, Collection[str]]:
        return {FIELD: self.fields, RECORD: RECORDS, SIGNAL: self.signals}


DEFAULT = Vocabulary()
