"""What can go wrong with a source."""


class ProviderError(Exception):
    """A source did not give what was asked; `temporary` says whether trying again can help.

    code: rate_limited, upstream_down, or of one symbol alone no_data, misshapen, mismatch (another symbol, interval or
    currency than was asked for), unknown_symbol or closed.
    """

    def __init__(self, message: str, *, code: str = "upstream_down", temporary: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.temporary = temporary


class WrongSource(Exception):
    """The database holds another source's prices than the one asked for; the text says how to change that."""
