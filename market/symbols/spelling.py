"""How a ticker is written."""

import re

# As Yahoo writes them: AAPL, BRK-B, 005930.KS, ^GSPC, EURUSD=X, GC=F. Upper case, so that a ticker has one spelling.
TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.&=-]{0,30}")


class InvalidTicker(ValueError):
    """Not what a ticker looks like; the text says what does."""


class UnknownSymbol(LookupError):
    """A ticker that we have no symbol of; trying again does not help."""

    code = "unknown_symbol"
    temporary = False


def ticker(text: str) -> str:
    """A ticker as we write it, from a person's spelling; raises InvalidTicker."""
    found = text.strip().upper()
    if not TICKER.fullmatch(found):
        raise InvalidTicker(f"{text[:40]!r} is no ticker; one looks like AAPL, BRK-B, 005930.KS, ^GSPC or EURUSD=X")
    return found
