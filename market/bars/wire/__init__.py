"""How bars are told: CONTRACT.md's bar, over HTTP and in streams.

rounding        to how many digits a price is told (pure)
fields          the fields of a bar (pure)
asked           what a page is asked for by
texts           many bars as the bytes that go out
page            a page of them, which is kept while its version is true
"""

from market.bars.wire.asked import Asked
from market.bars.wire.fields import bar_fields
from market.bars.wire.page import Page, page, pages, store

__all__ = ["Asked", "Page", "bar_fields", "page", "pages", "store"]
