"""What may be wrong with any page that is open: what axe finds, and English that is left where Korean is spoken."""

from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page

HERE = Path(__file__).parent
AXE = (HERE / "vendor" / "axe-core" / "axe.min.js").read_text()
ENGLISH = (HERE / "english.js").read_text()
RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}"""
# A page that is not there, or not for this reader, is told by its status; the browser writes that down too.
REFUSED = "Failed to load resource: the server responded with a status of 40"
# Names, codes and units are the same in every language.
NAMES = (
    "Finstage", "Apple Inc.", "Facebook, Inc.", "Google Inc.", "International Business Machines Corporation",
    "Microsoft Corporation", "Nasdaq", "NYSE", "AAPL", "GOOG", "IBM", "MSFT", "NOPE", "USD", "UTC", "API", "RSI", "SMA",
    "Esc", "Enter", "English", "Python", "JavaScript", "JSON", "WebSocket", "Yahoo Finance", "Yahoo", "admin", "curl",
    "URL", "CSV", "Parquet", "Chrome", "Linux",
)  # fmt: skip


def of_console(page: Page) -> list[str]:
    """What a page says there of trouble, as it comes."""
    said = []
    page.on("pageerror", lambda fault: said.append(str(fault)))
    page.on("console", lambda line: said.append(line.text) if _is_trouble(line) else None)
    return said


def _is_trouble(line: ConsoleMessage) -> bool:
    return line.type in ("error", "warning") and not line.text.startswith(REFUSED)


def of_axe(page: Page) -> list[str]:
    page.evaluate(AXE)
    return page.evaluate(RUN)


def untranslated(page: Page) -> list[str]:
    """What a Korean page says in English."""
    return page.evaluate(ENGLISH, list(NAMES))
