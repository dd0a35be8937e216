"""What somebody may have meant by a text that names no symbol."""

from difflib import get_close_matches

from django.db.models.functions import Lower

from market.models import Symbol, SymbolAlias
from market.symbols import spelling

SHOWN = 3
MOST = 2000  # texts that are compared; a mistake in the first letter is rare
LIKE = 0.6  # of difflib's measure: that of BRKB and BRK-B is 0.89


def near(text: str) -> list[str]:
    """Tickers that are written alike, or whose names begin so; the likeliest first, three at most."""
    word = spelling.folded(text)
    if not word or not word.isprintable():
        return []
    aliases = SymbolAlias.objects.filter(text__startswith=word[0]).values_list("text", "symbol__ticker")
    tickers = Symbol.objects.filter(ticker__startswith=word[0]).values_list("ticker", "ticker")
    written = dict([*aliases[:MOST], *tickers[:MOST]])
    # Names in small letters: with a binary collation MariaDB tells cases apart.
    called = Symbol.objects.alias(small=Lower("name")).filter(small__startswith=word.lower())
    alike = [written[each] for each in get_close_matches(word, written, SHOWN, LIKE)]
    return list(dict.fromkeys([*alike, *called.values_list("ticker", flat=True)[:SHOWN]]))[:SHOWN]
