"""Daily bars from one CSV file a symbol."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

from market.intervals import DAY
from market.models import Symbol
from market.prices import Bar, Named, midnight
from market.sources.contract import Source
from tests.market.files_source import ABOUT

FOLDER = Path(__file__).parent


class Files(Source):
    about = ABOUT

    def history(self, symbol: Symbol, start: date) -> tuple[list[Bar], Named]:
        rows = csv.reader((FOLDER / f"{symbol.ticker}.csv").read_text().splitlines())
        found = [(date.fromisoformat(day), [*map(float, prices)], int(volume)) for day, *prices, volume in rows]
        now = datetime.now(UTC)
        return [
            Bar(symbol.ticker, DAY.name, midnight(day), *prices, volume, True, ABOUT.name, now)
            for day, prices, volume in found
            if day >= start
        ], Named()
