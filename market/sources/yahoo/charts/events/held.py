"""What we hold of a symbol, by which an answer is judged. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import prod


@dataclass(frozen=True, slots=True)
class Held:
    """closes: as traded, in the symbol's currency, by session. splits: ex dates and new shares for one old.

    usual: what its dividends are of the price, the one in the middle; None of fewer than two.
    """

    closes: Mapping[date, float] = field(default_factory=dict)
    splits: Sequence[tuple[date, float]] = ()
    usual: float | None = None

    def later(self, session: date) -> float:
        """What one share of a session has become, by the splits that we hold."""
        return prod(value for ex_date, value in self.splits if ex_date > session)


NOTHING = Held()
