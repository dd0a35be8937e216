"""What is asked of a screen: a condition, columns to show, and an order. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any as Json
from typing import TypeVar

import orjson

from analysis.conditions import reading, texts, tree
from analysis.conditions.evaluating import Condition
from analysis.conditions.reading import Invalid
from analysis.conditions.texts import Misspelt
from analysis.conditions.tree import AT, EVENTS, FIELD, Comparison, Node, Number, Operand, Series
from analysis.conditions.vocabulary import FIELDS, Vocabulary
from analysis.signals.catalogue import LANGUAGE
from market.intervals import DAY

# Key figures, of which a source tells today's alone.
FIGURES = ("market_cap", "price_earnings", "earnings_per_share", "dividend_yield_percent")
NAMES = Vocabulary((*FIELDS, *FIGURES), LANGUAGE.names.signals, LANGUAGE.names.indicator)
SYMBOL = "symbol"
MOST_FIELDS, MOST_SORTS = 30, 5
LONGEST_TREE = 100_000
Read = TypeVar("Read")


@dataclass(frozen=True)
class Asked:
    """node: None holds for every symbol. sort: each series and whether it falls; None is the symbol's own name."""

    node: Node | None
    interval: str = DAY.name
    fields: tuple[Series, ...] = ()
    sort: tuple[tuple[Series | None, bool], ...] = ()

    @cached_property
    def condition(self) -> Condition | None:
        return None if self.node is None else Condition(self.node)

    @cached_property
    def shown(self) -> tuple[Series, ...]:
        """What a row tells: the values that the condition reads, then the columns, each once."""
        read = () if self.condition is None else self.condition.series
        return tuple(dict.fromkeys([*(each for each in read if each != AT), *self.fields]))

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """All that has to be known of a symbol that it holds for."""
        return tuple(dict.fromkeys([*self.shown, *(each for each, _ in self.sort if each is not None)]))

    def as_json(self) -> dict:
        """As `read` takes it."""
        return {
            "where": self.node and self.node.as_json(),
            "interval": self.interval,
            "fields": [str(each) for each in self.fields],
            "sort": [f"{'-' * falls}{SYMBOL if each is None else each}" for each, falls in self.sort],
        }


def read(where: Json, *, interval: str = DAY.name, fields: Sequence[str] = (), sort: Sequence[str] = ()) -> Asked:
    """where: a tree, as JSON's values or its text, or a line as people type it; None or "" asks for every symbol.

    Raises Invalid, by the paths `where`, `fields.0` and `sort.0`.
    """
    errors: dict[str, list[str]] = {}
    node = _told(errors, lambda: _node(where))
    columns = [_told(errors, lambda at=at, name=name: _series(name, f"fields.{at}")) for at, name in enumerate(fields)]
    order = [_told(errors, lambda at=at, name=name: _ordered(name, f"sort.{at}")) for at, name in enumerate(sort)]
    for name, listed, most in (("fields", fields, MOST_FIELDS), ("sort", sort, MOST_SORTS)):
        if len(listed) > most:
            errors[name] = [f"There may be {most} at the most."]
    if errors:
        raise Invalid(errors)
    return Asked(node, interval, tuple(columns), tuple(order))


def read_text(line: str, *, interval: str = DAY.name) -> Asked:
    """A condition alone, as people type it. Raises Misspelt, which shows the place; Invalid of a misused figure."""
    node = texts.read(line, NAMES)
    _require_of_today(node)
    return Asked(node, interval)


def of_query(pairs: Iterable[tuple[str, str]]) -> Node | None:
    """All that a query's `rsi_14.lt=30` say; None where none says anything. Raises Invalid, by their names."""
    node = texts.of_query(found, NAMES) if (found := list(pairs)) else None
    if node is not None:
        _require_of_today(node)
    return node


def _told(errors: dict[str, list[str]], step: Callable[[], Read]) -> Read | None:
    try:
        return step()
    except Invalid as error:
        errors.update(error.errors)
        return None


def _node(where: Json) -> Node | None:
    if where is None or where == "":
        return None
    if isinstance(where, str) and where.lstrip().startswith("{"):
        where = _parsed(where)
    if isinstance(where, str):
        try:
            node = texts.read(where, NAMES)
        except Misspelt as error:
            raise Invalid({"where": [str(error)]}) from error
    else:
        node = reading.read(where, NAMES, path="where")
    _require_of_today(node)
    return node


def _parsed(text: str) -> Json:
    if len(text) > LONGEST_TREE:
        raise Invalid({"where": [f"A condition has at most {LONGEST_TREE} characters."]})
    try:
        return orjson.loads(text)
    except ValueError as error:
        raise Invalid({"where": [f"It is no JSON: {error}."]}) from error


def _require_of_today(node: Node) -> None:
    """Key figures have no past: what of them would move, cross or lie back can't be told. Raises Invalid."""
    told = dict.fromkeys(why for each in tree.comparisons(node) if (why := _of_the_past(each)))
    if told:
        raise Invalid({"where": list(told)})


def _of_the_past(each: Comparison) -> str:
    moves = each.moves or each.operator in EVENTS or each.within > 1
    for operand in (each.left, *each.right):
        if _is_figure(operand) and (moves or operand.ago or not operand.series.is_own):
            name = operand.series.name
            return (
                f"{name} is known of today and of the symbol itself alone: compare it by gt, lt, between and the like."
            )
    return ""


def _is_figure(operand: Operand) -> bool:
    return not isinstance(operand, Number) and is_figure(operand.series)


def is_figure(series: Series) -> bool:
    return series.kind == FIELD and series.name in FIGURES


def _series(text: str, path: str) -> Series:
    try:
        found = texts.series(text, NAMES)
    except Misspelt as error:
        raise Invalid({path: [error.why]}) from error
    if is_figure(found) and not found.is_own:
        raise Invalid({path: [f"{found.name} is known of the symbol itself alone."]})
    return found


def _ordered(text: str, path: str) -> tuple[Series | None, bool]:
    falls, name = text.startswith("-"), text.removeprefix("-").strip()
    return (None if name == SYMBOL else _series(name, path)), falls
