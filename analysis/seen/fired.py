"""Where rules fire over the bars of one symbol, and what they read there."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from math import isfinite

import numpy as np

from analysis.conditions.evaluating import State
from analysis.conditions.tree import Series
from analysis.conditions.truth import TRUE
from analysis.conditions.values import OWN, Columns, History
from analysis.indicators import alone
from analysis.signals.catalogue import LANGUAGE, RULES
from analysis.signals.rule import Rule

Values = dict[str, float | None]


@dataclass(frozen=True)
class Fired:
    """bars: of each rule the places of the bars on which it fires, ascending; what breaks has its reason in `failed`.

    truths, values: what they were found by, each of one entry a bar.
    """

    bars: Mapping[str, np.ndarray]
    failed: Mapping[str, str]
    values: Mapping[Series, np.ndarray]

    def at(self, place: int) -> list[str]:
        """The rules that fire on one bar."""
        return [rule for rule, places in self.bars.items() if place in places[-1:] or place in places]

    def read(self, rule: str, place: int) -> Values:
        """What a rule read at a bar; None where there was nothing."""
        return told({series: self.values[series][place].item() for series in RULES[rule].condition.series})


def over(ticker: str, columns: Columns, rules: Mapping[str, Rule] = RULES) -> Fired:
    """All rules over a history, each alone."""
    history, bars, failed, values = History({OWN: columns}, LANGUAGE), {}, {}, {}
    for name, rule in rules.items():
        found, broken = alone.attempt(name, ticker, _fires, rule, history)
        if found is None:
            failed[name] = broken
        else:
            bars[name], read = found
            values |= read
    return Fired(bars, failed, values)


def states(fired: Fired, rules: Mapping[str, Rule] = RULES) -> dict[str, State]:
    """What each rule knows behind that history, of one symbol: there it goes on."""
    return {
        name: rules[name].condition.opened({each: fired.values[each][:, None] for each in rules[name].condition.series})
        for name in fired.bars
    }


def told(values: Mapping[Series, float]) -> Values:
    """By their names, as JSON has them."""
    return {str(series): value if isfinite(value) else None for series, value in values.items()}


@cache
def edition() -> str:
    """A name of the rules as they are: others have another."""
    said = [f"{rule.name} {rule.direction} {rule.every} {rule.text}" for rule in RULES.values()]
    return blake2b("\n".join(said).encode(), digest_size=16).hexdigest()


def _fires(rule: Rule, history: History) -> tuple[np.ndarray, dict[Series, np.ndarray]]:
    condition, values = rule.condition, history.of(rule.condition)
    return np.flatnonzero(condition.fires(condition.over(values)) == TRUE), values
