"""Lists of symbols that people keep. Everybody has a default one, which is the house's until they change it.

reading         the lists of a person, and what is on them
changing        made, changed and deleted, within bounds
"""

from market.watchlists.changing import MOST, MOST_SYMBOLS, Refused, add, change, delete, make, remove
from market.watchlists.reading import DEFAULT, NAME, Listed, Unknown, filled, opened, owned

__all__ = [
    "DEFAULT",
    "MOST",
    "MOST_SYMBOLS",
    "NAME",
    "Listed",
    "Refused",
    "Unknown",
    "add",
    "change",
    "delete",
    "filled",
    "make",
    "opened",
    "owned",
    "remove",
]
