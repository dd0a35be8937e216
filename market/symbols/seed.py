"""What a source knows of a symbol that it begins with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seed:
    """The facts of a symbol that a source begins with."""

    ticker: str
    name: str
    exchange: str
    currency: str = "USD"
    time_zone: str = "America/New_York"
    asset_type: str = "equity"
    price_decimals: int = 2
    local_name: str = ""
    spellings: tuple[str, ...] = ()  # what others call it, in capitals
