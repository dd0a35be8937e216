"""A condition as people type it: 'rsi_14 < 30 and close > sma_200'. Pure.

rsi_14 < 30 and not (volume > volumesma_20[1] * 2)      and, or, not, parentheses; [1]: one bar before
macd_12_26_9 crosses_up macd_12_26_9.macdsignal         an output behind its indicator
close > sma_50@1wk or "SPY".close < "SPY".sma_200       another interval, another symbol
close between 10 and 20                                 so inside, outside, enters and exits
close rises_by 5% within 3, close falls_by 2 within 30m
golden_cross                                            a signal, at the bar at which it fires
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any as Json
from typing import NoReturn, TypeVar

from analysis.conditions import reading, tree, vocabulary
from analysis.conditions.reading import Invalid
from analysis.conditions.tree import CHANNELS, LISTS, MOVES, OPERATORS, SIGNAL, Node, Number, Series
from analysis.conditions.vocabulary import Vocabulary

LONGEST, LONGEST_SERIES = 4000, 120
_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "=": "eq", "==": "eq"}
_TOKEN = re.compile(
    r"""(?P<blank>\s+)|(?P<span>\d+(?:mo|wk|[smhd])\b)|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.\d[0-9_]*)*)|(?P<quoted>"[^"]*")|(?P<sign><=|>=|==|[<>=()\[\],.@%*-])""",
    re.VERBOSE | re.ASCII,
)
_END = "the end"
Checked = TypeVar("Checked")


class Misspelt(ValueError):
    """A line that is no condition. at: the place in the text, from 0; the message shows it."""

    def __init__(self, text: str, at: int, why: str) -> None:
        self.at, self.why = at, why
        super().__init__(f"{why}\n  {text}\n  {' ' * at}^")


def read(text: str, names: Vocabulary = vocabulary.DEFAULT) -> Node:
    """Raises Misspelt."""
    if len(text) > LONGEST:
        raise Misspelt(text[:40], 0, f"A condition has at most {LONGEST} characters.")
    words = _Words(text, names)
    told = words.condition(1)
    if words.kind != _END:
        words.refuse("Here a condition could end, or go on with and, or")
    return words.checked(lambda: reading.read(told, names), 0)


def series(text: str, names: Vocabulary = vocabulary.DEFAULT) -> Series:
    """One series alone, such as a column: macd_12_26_9.macdsignal@1wk. Raises Misspelt."""
    if len(text) > LONGEST_SERIES:
        raise Misspelt(text[:40], 0, f"A name has at most {LONGEST_SERIES} characters.")
    words = _Words(text, names)
    term = words.checked(lambda: reading.operand(words.alone(), names), 0)
    if isinstance(term, Number) or term.ago or term.times != 1:
        raise Misspelt(text, 0, "It must be a name such as close, rsi_14 or high_52w.")
    return term.series


def of_query(pairs: Iterable[tuple[str, str]], names: Vocabulary = vocabulary.DEFAULT) -> Node:
    """The tree of a query's `rsi_14.lt=30`, all of which must hold. Raises Invalid, by the parameters' names."""
    found, errors = [], {}
    for name, text in pairs:
        left, _, operator = name.rpartition(".")
        try:
            if operator not in OPERATORS or not left:
                raise Misspelt(name, len(left), f"It must end with one of {', '.join(OPERATORS)}.")
            found.append(_Words(left, names).pair(operator, _Words(text, names)))
        except Misspelt as error:
            errors.setdefault(name, []).append(error.why)
    if not found and not errors:
        errors["where"] = ["There must be one condition at least, such as rsi_14.lt=30."]
    if errors:
        raise Invalid(errors)
    return reading.read({"all": found} if len(found) > 1 else found[0], names, path="where")


class _Words:
    """The words of a line, read one by one from the left."""

    def __init__(self, text: str, names: Vocabulary) -> None:
        self._text, self._names, self._next = text, names, 0
        self.kind = self.word = ""
        self._go_on()

    def condition(self, depth: int) -> Json:
        if depth > tree.MOST_DEPTH:
            self.refuse(f"A condition is at most {tree.MOST_DEPTH} deep")
        return self._joined("or", "any", lambda: self._joined("and", "all", lambda: self._negated(depth)))

    def pair(self, operator: str, other: "_Words") -> Json:
        """A comparison of which the operands stand apart, as in a query."""
        left = self._operand()
        self._end()
        right = other.listed() if operator in (*LISTS, *CHANNELS) else other.right(operator)
        other._end()
        told = {"left": left, "operator": operator, "right": right}
        other.checked(lambda: reading.read(told, self._names), 0)
        return told

    def alone(self) -> Json:
        """An operand behind which nothing stands."""
        found = self._operand()
        self._end()
        return found

    def listed(self) -> list[Json]:
        found = [self._operand()]
        while self._takes(","):
            found.append(self._operand())
        return found

    def right(self, operator: str) -> Json:
        if operator in CHANNELS:
            low = self._operand()
            self._needs("and", "a channel is written: 10 and 20")
            return [low, self._operand()]
        if operator in LISTS:
            self._needs("[", "a list is written [1, 2, 3]")
            found = self.listed()
            self._needs("]", "a list ends with ]")
            return found
        found = self._operand()
        return {"percent": found} if operator in MOVES and self._takes("%") else found

    def refuse(self, why: str) -> NoReturn:
        raise Misspelt(self._text, self.at, f"{why}.")

    def checked(self, step: Callable[[], Checked], at: int, places: Mapping[str, int] | None = None) -> Checked:
        """What a step reads of the tree, its first error told at a place of the line. places: of the node's parts."""
        try:
            return step()
        except Invalid as error:
            path, (why, *_) = next(iter(error.errors.items()))
            part = f"{path}.".split(".")[1]
            raise Misspelt(self._text, (places or {}).get(part, at), why) from error

    def _joined(self, word: str, name: str, part: Callable[[], Json]) -> Json:
        found = [part()]
        while self._takes(word):
            found.append(part())
        return {name: found} if len(found) > 1 else found[0]

    def _negated(self, depth: int) -> Json:
        if self._takes("not"):
            if depth > tree.MOST_DEPTH:
                self.refuse(f"A condition is at most {tree.MOST_DEPTH} deep")
            return {"not": self._negated(depth + 1)}
        if self._takes("("):
            found = self.condition(depth + 1)
            self._needs(")", "a parenthesis is not closed")
            return found
        return self._comparison()

    def _comparison(self) -> Json:
        at, left = self.at, self._operand()
        operator = _SIGNS.get(self.word, self.word)
        if operator not in OPERATORS:
            if isinstance(left, dict) and SIGNAL in left:
                return left
            self.refuse(f"Here an operator is missing: <, <=, >, >=, = or one of {', '.join(OPERATORS)}")
        self._go_on()
        places = {"right": self.at}
        told = {"left": left, "operator": operator, "right": self.right(operator)}
        if self._takes("within"):
            places["within"] = self.at
            told["within"] = int(self.word) if self.kind == "number" and self.word.isdecimal() else self.word
            self._go_on()
        self.checked(lambda: reading.read(told, self._names), at, places)
        return told

    def _operand(self) -> Json:
        at = self.at
        if self.kind in ("number", "sign"):
            value = self._number()
            if not self._takes("*"):
                return value
            told = {**self._series(), "times": value}
        else:
            told = self._series()
            if self._takes("*"):
                told["times"] = self._number()
        self.checked(lambda: reading.operand(told, self._names), at)
        return told

    def _number(self) -> float:
        sign = -1 if self._takes("-") else 1
        if self.kind != "number":
            self.refuse("Here a number or a name is missing")
        value = float(self.word)
        self._go_on()
        return sign * value

    def _series(self) -> dict:
        symbol = {}
        if self.kind == "quoted":
            symbol = {"symbol": self.word[1:-1]}
            self._go_on()
            self._needs(".", 'a name follows the symbol: "SPY".close')
        name = self._name("Here a number or a name is missing")
        told = {self._names.kind(name): name, **symbol}
        if self._takes("."):
            told["output"] = self._name("Here the name of an output is missing")
        if self._takes("@"):
            told["interval"] = self.word
            self._go_on()
        if self._takes("["):
            if not self.word.isdecimal():
                self.refuse("Here a number of bars is missing: close[1] is that of the bar before")
            told["ago"] = int(self.word)
            self._go_on()
            self._needs("]", "[ is not closed")
        return told

    def _name(self, why: str) -> str:
        if self.kind != "name":
            self.refuse(why)
        word = self.word.lower()
        self._go_on()
        return word

    def _takes(self, word: str) -> bool:
        if self.word.lower() != word or self.kind == "quoted":
            return False
        self._go_on()
        return True

    def _needs(self, word: str, why: str) -> None:
        if not self._takes(word):
            self.refuse(f"Here {word} is missing: {why}")

    def _end(self) -> None:
        if self.kind != _END:
            self.refuse("Here it should end")

    def _go_on(self) -> None:
        self.at = self._next
        if self._next >= len(self._text):
            self.kind, self.word = _END, ""
            return
        found = _TOKEN.match(self._text, self._next)
        if found is None:
            self.refuse(f"Nobody knows what {self._text[self._next]!r} means here")
        self._next = found.end()
        if found.lastgroup == "blank":
            self._go_on()
        else:
            self.kind, self.word = found.lastgroup, found[0]
