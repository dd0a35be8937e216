"""What a rule is: a condition with a name, a direction and a source. Pure."""

from dataclasses import dataclass
from functools import cached_property

from analysis.conditions import texts
from analysis.conditions.evaluating import Condition
from analysis.conditions.vocabulary import Vocabulary
from analysis.indicators import catalogue
from analysis.indicators.entry import INDICATOR, Indicator
from analysis.signals.divergence import DIVERGENCE
from analysis.signals.rating import RATING

UP, DOWN, NEITHER = "up", "down", "none"
# What rules read beside the catalogue of indicators, whose charts have no use for it.
OWN = {each.key: each for each in (DIVERGENCE.with_defaults(), RATING.with_defaults())}


def indicator(key: str) -> Indicator | None:
    """One of the rules' own, else the catalogue's. Raises catalogue.UnknownIndicator."""
    return OWN.get(key) or catalogue.named(key)


NAMES = Vocabulary(indicator=indicator)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """text: the condition, as `conditions.texts` reads it. every: it happens at each bar on which it is true, as a gap
    does; else it fires where it becomes true. direction: which way a price is said to go behind it. of: INDICATOR, or
    PATTERN where its title is that of the pattern.
    """

    name: str
    title: str
    direction: str
    text: str
    source: str
    note: str = ""
    every: bool = False
    of: str = INDICATOR

    @cached_property
    def condition(self) -> Condition:
        return Condition(texts.read(self.text, NAMES), every=self.every)
