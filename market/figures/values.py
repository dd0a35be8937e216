"""Key figures as a source tells them: what each is, and why one is missing. Pure.

market_cap              what all shares, or all coins, are worth, in the currency of the figures
price_earnings          the price over the earnings of the last twelve months
earnings_per_share      the earnings of the last twelve months, per share, in the currency of the figures
dividend_yield_percent  what a share is paid a year at the newest rate, in percent of the price
earnings_date           the next day on which earnings are told, or the first of those on which they may be
ex_dividend_date        the first session without the newest dividend that is announced, also one that is past
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

NAMES = (
    "market_cap", "price_earnings", "earnings_per_share", "dividend_yield_percent", "earnings_date", "ex_dividend_date",
)  # fmt: skip
# What a kind of symbol can have at all. An index, a pair of currencies and a future have none.
OF_KINDS: Mapping[str, tuple[str, ...]] = {
    "equity": NAMES,
    "etf": ("price_earnings", "dividend_yield_percent", "ex_dividend_date"),
    "fund": ("dividend_yield_percent",),
    "crypto": ("market_cap",),
}
# What is told beside a figure, and goes with it.
BESIDE: Mapping[str, tuple[str, ...]] = {"earnings_date": ("earnings_date_to", "is_earnings_date_estimated")}

# Why one is missing.
NOT_TOLD = "not_told"  # the source has none
NO_EARNINGS = "no_earnings"  # a price over a loss says nothing
NO_DIVIDEND = "no_dividend"  # it pays none
PAST = "past"  # the last date that was told is over
NOT_COME = "not_come"  # the answer to it failed, and nothing came before
NOT_APPLICABLE = "not_applicable"  # nothing of its kind has any
UNCLEAR = "unclear"  # the source contradicts itself, in a unit or a currency: nobody can say which number it means


@dataclass(frozen=True, slots=True)
class Figures:
    """What one answer tells of one symbol.

    currency: of the amounts. reporting_currency: in which the company reports, None where that is not told.
    values: by name, also of what is told beside a figure; what is missing is in one of the others.
    missing: why the source has none of these. failed: why nothing was heard of these, which says nothing of them.
    may_come: whether asking again can help those.
    """

    ticker: str
    currency: str
    as_of: datetime
    received_at: datetime
    source: str
    reporting_currency: str | None = None
    values: Mapping[str, float | date | bool] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    may_come: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether it names no figure of those that it could."""
        return not self.values and set(self.missing.values()) <= {NOT_TOLD}


def of_kind(asset_type: str) -> tuple[str, ...]:
    """The figures that a kind of symbol can have."""
    return OF_KINDS.get(asset_type, ())
