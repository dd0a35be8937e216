"""How bars are told: CONTRACT.md's bar, over HTTP and in streams.

rounding        to how many digits a price is told (pure)
fields          the fields of a bar (pure)
page            many of them as the bytes that go out, which are kept while their version is true
"""

from market.bars.wire.fields import bar_fields
from market.bars.wire.page import Asked, Page, page, store

__all__ = ["Asked", "Page", "bar_fields", "page", "store"]
