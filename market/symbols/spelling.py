"""How a ticker is written, by us and by others."""

import re
import unicodedata

# As Yahoo writes them: AAPL, BRK-B, 005930.KS, ^GSPC, EURUSD=X, GC=F. Upper case, so that a ticker has one spelling.
TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.&=-]{0,30}")
LONGEST = 64
# A class of shares, which others set off by a dot, a slash or a blank: BRK.B, BRK/B.
_CLASS = re.compile(r"([A-Z]{1,6})[./ ]([A-Z]{1,2})")
_OF_CLASS = re.compile(r"([A-Z]{1,6})-([A-Z]{1,2})")


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


def folded(text: str) -> str:
    """What was written, in capitals of the usual width and without blanks around it."""
    return unicodedata.normalize("NFKC", text.strip()[: 2 * LONGEST]).strip().upper()


def readings(text: str) -> tuple[str, ...]:
    """What a text may name, the likeliest first; none where it can name nothing."""
    word = folded(text)
    if not word or len(word) > LONGEST or not word.isprintable():
        return ()
    share = _CLASS.fullmatch(word)
    return (word, "-".join(share.groups())) if share else (word,)


def spelled(text: str) -> tuple[str, ...]:
    """The tickers that a text may be, as `readings`: of BRK.B itself, and BRK-B; of BRK/B that alone."""
    return tuple(word for word in readings(text) if TICKER.fullmatch(word))


def writings(ticker: str) -> tuple[str, ...]:
    """What may name a ticker, itself first: the texts whose `readings` hold it."""
    share = _OF_CLASS.fullmatch(ticker)
    return (ticker, *(sign.join(share.groups()) for sign in "./ ")) if share else (ticker,)
