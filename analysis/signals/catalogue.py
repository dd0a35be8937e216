"""Every rule there is, by name, and the language that conditions with signals are written in. Pure."""

from analysis.conditions.values import Language
from analysis.conditions.vocabulary import Vocabulary
from analysis.signals import patterns, rules
from analysis.signals.rule import Rule, indicator

RULES: dict[str, Rule] = {rule.name: rule for rule in (*rules.RULES, *patterns.RULES)}
LANGUAGE = Language(
    Vocabulary(signals=tuple(RULES), indicator=indicator), {name: rule.condition for name, rule in RULES.items()}
)
