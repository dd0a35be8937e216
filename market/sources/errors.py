"""What can go wrong with a source."""

FAILURES = ("rate_limited", "upstream_down")
CODES = (*FAILURES, "no_data", "market_closed", "unknown_symbol")


class ProviderError(Exception):
    """A source did not give what was asked; `temporary` says whether trying again can help.

    code: one of CODES; the last three are about what was asked for alone. was_asked: not where we knew without asking,
    which says nothing new.
    """

    def __init__(
        self, message: str, *, code: str = "upstream_down", temporary: bool = True, was_asked: bool = True
    ) -> None:
        if code not in CODES:
            raise ValueError(f"{code!r} is no code of a source's failures; these are {', '.join(CODES)}")
        super().__init__(message)
        self.code = code
        self.temporary = temporary
        self.was_asked = was_asked

    @property
    def is_of_source(self) -> bool:
        """Whether the source itself fails; else it answers, and what was asked for is the matter."""
        return self.code in FAILURES


class Unreadable(ProviderError):
    """An answer about one thing that can't be understood, is about something else than was asked for, or takes the
    request for none: asking again at once does not help, and it says nothing against the source.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, code="upstream_down", temporary=False)

    @property
    def is_of_source(self) -> bool:
        return False


class WrongSource(Exception):
    """The database holds another source's prices than the one asked for; the text says how to change that."""
