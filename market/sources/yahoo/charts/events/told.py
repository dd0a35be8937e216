"""The splits and dividends of a chart. Pure; what can't be read is left out and named."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import prod
from typing import NamedTuple

from market import prices
from market.sources.yahoo import fields
from market.sources.yahoo.charts.days import Days
from market.sources.yahoo.fields import Misshapen

ALL_KNOWN = date.min
LARGEST_SPLIT = 10_000.0
LARGEST_NUMBER = 110  # of a split's ratio; 101:100 is a bonus of one in a hundred
KINDS = frozenset({"split", "spin_off", "dividend", "capital_gain"})
_CASH = {"dividend": "dividends", "capital_gain": "capitalGains"}  # under Yahoo's names


class Split(NamedTuple):
    """New shares for old ones, from a session on."""

    ex_date: date
    numerator: float
    denominator: float

    @property
    def value(self) -> float:
        return self.numerator / self.denominator

    @property
    def is_spin_off(self) -> bool:
        """Whether it may be one: nobody splits by 1046:1000, by which a source restates what left with a daughter."""
        ratio = (Fraction(self.numerator) / Fraction(self.denominator)).limit_denominator(int(LARGEST_SPLIT))
        return min(ratio.as_integer_ratio()) > 1 and max(ratio.as_integer_ratio()) > LARGEST_NUMBER


@dataclass(frozen=True, slots=True)
class Events:
    """splits: oldest first; dividends and capital gains: per share of today, as they were written.

    known_from: what a share of an older session has become can't be said, because a later split can't be read.
    whole: the kinds of which each could be read. unrestated: splits by which the prices are not restated yet.
    undecided: the day of the last split of which nobody can say that before it trades; None where there is none.
    """

    splits: list[Split]
    dividends: list[tuple[date, float]]
    gains: list[tuple[date, float]]
    known_from: date
    left_out: list[str]
    whole: frozenset[str]
    unrestated: frozenset[Split] = frozenset()
    undecided: date | None = None

    def followed_by(self, held: Sequence[tuple[date, float]], last: date) -> "Events":
        """The same with those splits that we hold of sessions after the last, by their ex dates and values."""
        more = [Split(ex_date, value, 1.0) for ex_date, value in held if ex_date > last]
        named = {split.ex_date for split in self.splits}
        return replace(self, splits=sorted([*self.splits, *(each for each in more if each.ex_date not in named)]))

    def later(self, session_date: date) -> float:
        """By what a price of that session was divided."""
        return prod(split.value for split in self._counted(session_date))

    def shares(self, session_date: date) -> float:
        """What one share of that session has become."""
        return prod(split.value for split in self._counted(session_date) if not split.is_spin_off)

    def _counted(self, session_date: date) -> list[Split]:
        return [split for split in self.splits if split.ex_date > session_date and split not in self.unrestated]


def read(chart: dict, days: Days) -> Events:
    """Raises Misshapen where nobody can say whether there are splits."""
    splits, left_out, known_from, whole = [], [], ALL_KNOWN, set(KINDS)
    for event, ex_date in _events(chart, "splits", days):
        ratio = _ratio(event)
        if ex_date is None or ratio is None:
            left_out.append(f"a split {event!r}"[:200])
            whole -= {"split", "spin_off"}
            known_from = max(known_from, ex_date or date.max)
        else:
            splits.append(Split(ex_date, *ratio))
    paid: dict[str, list[tuple[date, float]]] = {"dividend": [], "capital_gain": []}
    for kind, found in paid.items():
        for event, ex_date in _events(chart, _CASH[kind], days):
            amount = fields.price(event, "amount")
            if ex_date is None or amount is None:
                left_out.append(f"a {kind.replace('_', ' ')} {event!r}"[:200])
                whole -= {"dividend", "capital_gain"}  # one may hold the other
            else:
                found.append((ex_date, amount))
    # Yahoo lists some twice; two alike on one day would count twice.
    splits = list({(split.ex_date, split.value): split for split in sorted(splits)}.values())
    dividends, gains = (list(dict.fromkeys(found)) for found in paid.values())
    return Events(splits, dividends, gains, known_from, left_out, frozenset(whole))


def _events(chart: dict, kind: str, days: Days) -> Iterator[tuple[dict, date | None]]:
    """Each event with its date, which Yahoo says twice: in it, and as its key."""
    events = chart.get("events")
    found = events.get(kind) if isinstance(events, dict) else events
    if found is None:
        return
    if not isinstance(found, dict):
        raise Misshapen(f"its {kind} are {found!r}"[:80])
    for key, event in found.items():
        event = event if isinstance(event, dict) else {}
        said = fields.moment(event.get("date"), days.zone) or fields.moment(_whole(key), days.zone)
        yield event, said and days.of_row(said, is_last=False)


def _ratio(event: dict) -> tuple[float, float] | None:
    """New shares and the old ones they replace, which Yahoo says twice as well: by two numbers, and as 4:1."""
    words = event.get("splitRatio")
    new, _, old = words.partition(":") if isinstance(words, str) else ("", "", "")
    told = [(event.get("numerator"), event.get("denominator")), (_whole(new), _whole(old))]
    for numerator, denominator in told:
        are_prices = prices.is_price(numerator) and prices.is_price(denominator)
        if are_prices and 1 / LARGEST_SPLIT <= numerator / denominator <= LARGEST_SPLIT:
            return float(numerator), float(denominator)
    return None


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
