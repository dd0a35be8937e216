"""The live indicators of many series, moved together: those that have a twin in one table, others one by one.

What breaks in one series, or is not known of it, costs no other.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

from analysis.indicators import alone, carried
from analysis.indicators.across import twins
from analysis.indicators.across.recursions import Seed
from analysis.indicators.across.table import Table
from analysis.indicators.carried import Carried, Values
from analysis.indicators.entry import Indicator, not_known
from analysis.indicators.talib import InsufficientHistory
from market.bars.columns.kept import Columns
from market.prices import Bar, Quote

Told = tuple[dict[str, Values], dict[str, str]]  # by key the values of each indicator, and why there are none
Moving = TypeVar("Moving", Quote, Bar)


class Member:
    """The indicators of one series. row: where those that are `standing` stand; None where it has none.

    apart: those that go by themselves.
    """

    __slots__ = ("_group", "apart", "keys", "row", "standing")

    def __init__(self, chosen: Mapping[str, Indicator], group: "Group | None" = None) -> None:
        self.keys, self._group = list(chosen), group
        self.row: int | None = None
        self.standing: dict[str, Indicator] = {}
        self.apart: dict[str, Carried] = {}

    def leave_out(self, key: str) -> None:
        """It is chosen no more."""
        if key in self.keys:
            self.keys.remove(key)
            self.standing.pop(key, None)
            self.apart.pop(key, None)

    def close(self) -> None:
        """Nobody moves it any more."""
        if self._group is not None and self.row is not None:
            self._group.table.give_back(self.row)
        self.row = None


@dataclass(frozen=True, slots=True)
class Step:
    """A quote, or a bar, of a series. known: its session's bar so far, or the bar, as `carried.columns` and `of_bar`
    give it. is_counted: its bar is history already.
    """

    member: Member
    quote: Quote | Bar
    known: Values
    is_counted: bool

    @property
    def closes(self) -> bool:
        return self.quote.has_closed and not self.is_counted


class Group:
    """usual: the indicators that most series have. A series that has them all is moved with the others."""

    def __init__(self, usual: Mapping[str, Indicator]) -> None:
        self._usual = {key: each for key, each in usual.items() if twins.of(each.node)}
        self.table = Table(self._usual)
        self._one = {key: (*each.outputs, self.table.places[key].start) for key, each in self._usual.items()
                     if len(each.outputs) == 1}  # fmt: skip
        self._several = {key: (each.outputs, self.table.places[key]) for key, each in self._usual.items()
                         if len(each.outputs) > 1}  # fmt: skip

    def opened(self, chosen: Mapping[str, Indicator], ticker: str, columns: Columns) -> Member:
        """A series, open on its bars. An indicator that has too few of them goes by itself until it is opened again."""
        member = Member(chosen, self)
        if self._usual and self._usual.keys() <= chosen.keys():
            self._stand(member, ticker, columns)
        apart = {key: each for key, each in chosen.items() if key not in member.standing}
        member.apart = {key: carried.opened(each, ticker, columns) for key, each in apart.items()}
        return member

    def moved(self, steps: Sequence[Step]) -> list[Told]:
        """What each series says after its step; of each one step at a time."""
        closing = [step for step in steps if step.closes and step.member.row is not None]
        forming = [step for step in steps if not step.quote.has_closed and not step.is_counted]
        for step in closing:
            if not self._is_whole(step):
                self._leave_unknown(step)
        rows = self._together(closing, self.table.update)
        rows |= self._together([step for step in forming if step.member.row is not None], self.table.peek)
        return [self._told(step, rows.get(id(step))) for step in steps]

    def _stand(self, member: Member, ticker: str, columns: Columns) -> None:
        seeds, last = {}, {}
        for key, each in self._usual.items():
            known, _ = alone.attempt(key, ticker, each.known, columns)
            if known is None or len(known[each.inputs[0]]) < each.warm_up + 2:
                continue
            seed, _ = alone.attempt(key, ticker, self._seed, key, known)
            if seed:
                seeds[key] = seed
                last |= {name: column[-1].item() for name, column in known.items()}
        if seeds:
            member.row = self.table.open(seeds, last)
            member.standing = {key: self._usual[key] for key in seeds}

    def _seed(self, key: str, known: Columns) -> Seed:
        """Nothing where it has no place in the table yet."""
        try:
            return self.table.seed(key, known)
        except InsufficientHistory:
            return []

    def _leave_unknown(self, step: Step) -> None:
        """Have the indicators that read what a bar does not say, which has closed, begin anew by themselves."""
        for key, indicator in list(step.member.standing.items()):
            unknown, broken = alone.attempt(key, step.quote.ticker, _unknown, indicator, step)
            if unknown or broken:
                why = broken or not_known(unknown, step.quote.session_date)
                self._break(step.member, key, why, goes_on=not broken)

    def _break(self, member: Member, key: str, reason: str, *, goes_on: bool) -> None:
        indicator = member.standing.pop(key)
        self.table.close(member.row, key)
        live = indicator.begun() if goes_on else None
        member.apart[key] = Carried(indicator, live, reason, indicator.inputs, indicator.outputs)

    def _together(self, steps: Sequence[Step], move: Callable[..., list[list[float]]]) -> dict[int, list[float]]:
        """Each row of values; where many break, each by itself."""
        if not steps:
            return {}
        try:
            found = move([step.member.row for step in steps], [step.known for step in steps])
            return {id(step): values for step, values in zip(steps, found, strict=True)}
        except Exception:  # noqa: BLE001 - each is tried alone and told
            return {id(step): values for step in steps if (values := self._alone(step, move)) is not None}

    def _alone(self, step: Step, move: Callable[..., list[list[float]]]) -> list[float] | None:
        member = step.member
        found, broken = alone.attempt("across", step.quote.ticker, move, [member.row], [step.known])
        if found is not None:
            return found[0]
        for key in list(member.standing):
            self._break(member, key, broken, goes_on=False)
        return None

    def _told(self, step: Step, row: list[float] | None) -> Told:
        member, reasons = step.member, {}
        values: dict[str, Values] = {}
        if row is None and member.standing:
            row = self.table.last(member.row)
        is_whole = step.is_counted or self._is_whole(step)
        if row is not None and is_whole and len(member.standing) == len(self._usual) and isfinite(sum(row)):
            values = {key: {name: row[at]} for key, (name, at) in self._one.items()}
            for key, (names, at) in self._several.items():
                values[key] = dict(zip(names, row[at], strict=True))
        elif row is not None:
            for key, each in member.standing.items():
                values[key], reasons[key] = self._defined(step, each, row[self.table.places[key]], is_whole=is_whole)
        for key, each in member.apart.items():
            values[key], reasons[key] = each.moved(step.quote, step.known, is_closed=step.is_counted)
        return {key: values[key] for key in member.keys}, {key: why for key, why in reasons.items() if why}

    def _defined(self, step: Step, indicator: Indicator, values: list[float], *, is_whole: bool) -> tuple[Values, str]:
        if not is_whole:
            unknown, broken = alone.attempt(indicator.key, step.quote.ticker, _unknown, indicator, step)
            if unknown or broken:
                why = broken or not_known(unknown, step.quote.session_date)
                return dict.fromkeys(indicator.outputs), why
        if isfinite(sum(values)):
            return dict(zip(indicator.outputs, values, strict=True)), ""
        defined = [each if isfinite(each) else None for each in values]
        return dict(zip(indicator.outputs, defined, strict=True)), indicator.entry.undefined

    def _is_whole(self, step: Step) -> bool:
        """Whether all is known that what stands in the table reads."""
        try:
            return isfinite(sum(map(step.known.__getitem__, self.table.inputs)))
        except TypeError:  # None is among them
            return False


def opened(chosen: Mapping[str, Indicator], ticker: str, columns: Columns) -> Member:
    """A series that moves by itself: its indicators all do."""
    return _NONE.opened(chosen, ticker, columns)


def moved(step: Step) -> Told:
    """What a series says that moves by itself."""
    (told,) = _NONE.moved([step])
    return told


def rounds(moved: Sequence[Moving], key: Callable[[Moving], Hashable]) -> list[list[Moving]]:
    """Quotes, or bars, in their order, each series once in a round."""
    found: list[dict[Hashable, Moving]] = [{}]
    for each in moved:
        if (own := key(each)) in found[-1]:
            found.append({})
        found[-1][own] = each
    return [list(each.values()) for each in found]


def _unknown(indicator: Indicator, step: Step) -> list[str]:
    """What it reads and the bar does not say. Raises ValueError where that is no number."""
    unknown = [name for name in indicator.inputs if step.known[name] is None]
    if not unknown and not all(isfinite(step.known[name]) for name in indicator.inputs):
        raise ValueError("a price is not finite")
    return unknown


_NONE = Group({})
