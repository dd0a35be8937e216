"""Who moved most in the newest session of their exchange. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from market.prices import Quote

# Volumes of these are counted in shares; those of a currency or a coin are in another unit, and are not compared.
SHARES = ("equity", "etf")


class Listed(Protocol):
    ticker: str
    exchange: str
    asset_type: str


@dataclass(frozen=True, slots=True)
class Movers:
    """Tickers, the first moved most; a tie goes by ticker. sessions: the one of each exchange that counts.

    left_out: how many do not count, by reason.
    """

    gainers: list[str] = field(default_factory=list)
    losers: list[str] = field(default_factory=list)
    most_active: list[str] = field(default_factory=list)
    sessions: dict[str, date] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def movers(listed: Iterable[Listed], latest: Mapping[str, Quote | None], limit: int) -> Movers:
    """Of the symbols with a quote of their exchange's newest session: by change in percent, and by shares traded.

    What stood still is no gainer and no loser. A price of a session before is no move of today.
    """
    listed = list(listed)
    told = [(each, quote) for each in listed if (quote := latest.get(each.ticker)) is not None]
    sessions: dict[str, date] = {}
    for each, quote in told:
        sessions[each.exchange] = max(quote.session_date, sessions.get(each.exchange, date.min))
    current = [(each, quote) for each, quote in told if quote.session_date == sessions[each.exchange]]
    changed = [(quote.change_percent, each.ticker) for each, quote in current if quote.change_percent is not None]
    traded = [(quote.volume, each.ticker) for each, quote in current if quote.volume and each.asset_type in SHARES]
    return Movers(
        gainers=[ticker for percent, ticker in sorted(changed, key=_most) if percent > 0][:limit],
        losers=[ticker for percent, ticker in sorted(changed) if percent < 0][:limit],
        most_active=[ticker for _, ticker in sorted(traded, key=_most)][:limit],
        sessions=dict(sorted(sessions.items())),
        left_out={
            "no_quote": len(listed) - len(told),
            "older_session": len(told) - len(current),
            "no_change_known": len(current) - len(changed),
        },
    )


def _most(ranked: tuple[float, str]) -> tuple[float, str]:
    value, ticker = ranked
    return -value, ticker
