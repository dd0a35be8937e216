"""The one door for what people write: tickers in any case, those that a symbol had before, and others' spellings."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from market.models import Symbol, SymbolAlias
from market.symbols import rows, spelling
from market.symbols.spelling import UnknownSymbol

Known = TypeVar("Known")


def resolve(text: str) -> Symbol:
    """The symbol that somebody means by `aapl`, `BRK.B` or, of META, `FB`. Raises UnknownSymbol."""
    symbol = found([text]).get(text)
    if symbol is None:
        raise UnknownSymbol(f"there is no symbol {text[: spelling.LONGEST]!r} here")
    return symbol


def found(texts: Iterable[str]) -> dict[str, Symbol]:
    """The symbol of each text that names one: one query where all are tickers, else two."""
    asked = {text: spelling.readings(text) for text in texts}
    words = _words(asked)
    by_ticker = rows.of_tickers(words) if words else ()
    answer = _named(asked, {symbol.ticker: symbol for symbol in by_ticker})
    if left := {text: words for text, words in asked.items() if words and text not in answer}:
        aliases = SymbolAlias.objects.filter(text__in=_words(left)).select_related("symbol")
        answer |= _named(left, {alias.text: alias.symbol for alias in aliases})
    return answer


def tickers(texts: Iterable[str]) -> dict[str, str]:
    """Today's ticker of each text that names a symbol."""
    return {text: symbol.ticker for text, symbol in found(texts).items()}


def keys(texts: Iterable[str]) -> dict[str, int]:
    """The key of each text that names a symbol: who was told of a former ticker may still say it."""
    return {text: symbol.pk for text, symbol in found(texts).items()}


def named(texts: Iterable[str] | None) -> list[str]:
    """Today's tickers of what is named, each once, an unknown one in capitals; all tracked ones for None."""
    if texts is None:
        return [symbol.ticker for symbol in rows.tracked()]
    texts = list(texts)
    known = tickers(texts)
    return list(dict.fromkeys(known.get(text) or spelling.folded(text) for text in texts))


def tracked_words() -> dict[str, str]:
    """Every way to write a tracked symbol and its ticker: the tickers themselves first, in order."""
    own = {symbol.ticker: symbol.ticker for symbol in rows.tracked()}
    aliases = dict(SymbolAlias.objects.filter(symbol__is_active=True).values_list("text", "symbol__ticker"))
    return own | {text: ticker for text, ticker in aliases.items() if text not in own}


def named_in(words: Mapping[str, str], texts: Iterable[str]) -> dict[str, str]:
    """As `tickers`, by what `tracked_words` has told."""
    return _named({text: spelling.readings(text) for text in texts}, words)


def _words(asked: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {word for words in asked.values() for word in words}


def _named(asked: Mapping[str, tuple[str, ...]], known: Mapping[str, Known]) -> dict[str, Known]:
    hits = {text: next((word for word in words if word in known), None) for text, words in asked.items()}
    return {text: known[word] for text, word in hits.items() if word is not None}
