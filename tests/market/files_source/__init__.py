"""A tiny source: what files hold. It is all that a new source needs, with one line of settings.SOURCES."""

from market.sources import About
from market.symbols import Seed

ABOUT = About(
    name="files_source",
    title="Files",
    loaded_from="tests.market.files_source.source.Files",
    can=frozenset({"history", "files"}),
    seeds=[Seed("SAP.DE", "SAP SE", "XETR", "EUR", "Europe/Berlin")],
)
