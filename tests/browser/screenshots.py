"""`make screenshots`: every page in dark and light, Korean and English, 1440 and 390 wide, into var/screenshots,
and the two that the README shows into docs.
"""

import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser

from tests import services
from tests.browser import site as sites

PAGES = {"watchlist": "/", "symbol": "/symbols/AAPL/", "unknown": "/symbols/NOPE/", "missing": "/nothing/here"}
THEMES, LANGUAGES, SIZES = ("dark", "light"), ("ko-KR", "en-US"), ((1440, 900), (390, 844))
FOLDER = sites.ROOT / "var" / "screenshots"
SETTLED_MILLISECONDS = 2500
README = {"watchlist.png": "watchlist-dark-en-1440.png", "symbol.png": "symbol-light-en-1440.png"}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="finstage-screenshots-") as folder,
            sites.running(Path(folder), session_seconds=20) as site,
            sites.chromium() as browser,
        ):
            for (name, path), theme, language, size in product(PAGES.items(), THEMES, LANGUAGES, SIZES):
                file = FOLDER / f"{name}-{theme}-{language[:2]}-{size[0]}.png"
                _shoot(browser, site.url + path, file, theme=theme, language=language, size=size)
                sys.stdout.write(f"{file.relative_to(sites.ROOT)}\n")
            for name, shot in README.items():
                shutil.copyfile(FOLDER / shot, sites.ROOT / "docs" / name)
    finally:
        services.pytest_unconfigure()


def _shoot(browser: Browser, url: str, file: Path, *, theme: str, language: str, size: tuple[int, int]) -> None:
    context = browser.new_context(
        color_scheme=theme, locale=language, viewport={"width": size[0], "height": size[1]}, device_scale_factor=1
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_timeout(SETTLED_MILLISECONDS)
    page.screenshot(path=file)
    context.close()


if __name__ == "__main__":
    main()
