"""What must be known of a symbol to read an answer about it. Pure."""

from typing import Protocol


class Symbol(Protocol):
    """Our row of it has all that; see `market.models.Symbol`."""

    ticker: str
    exchange: str
    currency: str
    time_zone: str
    asset_type: str
    price_decimals: int

    @property
    def may_be_negative(self) -> bool: ...
