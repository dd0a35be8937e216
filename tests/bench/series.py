"""Ten years of days of many symbols: what measurements of bars write, and read again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from market import bars
from market.models import Symbol

SESSIONS = 2_520
AT_ONCE = 50  # symbols of one call
RECEIVED = datetime(2024, 6, 1, tzinfo=UTC)
FACTS = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}


@dataclass
class Series:
    """Columns of all symbols, in their order; how often they were told, and by how much all prices had moved."""

    tickers: list[str]
    keys: np.ndarray
    days: np.ndarray
    close: np.ndarray
    answers: int = 0
    moved: float = 0.0

    def __len__(self) -> int:
        return len(self.close)

    def write(self, moved: float = 0.0) -> None:
        """All of them as one later answer, some symbols a call."""
        self.answers, self.moved = self.answers + 1, moved
        for first in range(0, len(self.tickers), AT_ONCE):
            part = slice(first * SESSIONS, (first + AT_ONCE) * SESSIONS)
            close = self.close[part] + moved
            names = self.tickers[first : first + AT_ONCE]
            columns = {
                "symbol": np.repeat(np.arange(len(names)), SESSIONS), "opened_at": np.tile(self.days, len(names)),
                "open": close, "high": close + 1, "low": close - 1, "close": close,
                "volume": np.full(len(close), 1_000_000),
            }  # fmt: skip
            answer = bars.answer(
                names, "1d", columns, source="replay", received_at=RECEIVED + timedelta(minutes=self.answers)
            )
            assert not bars.write(answer, reason="a measurement").refused

    def rows(self, symbols: int) -> list[tuple]:
        """What a rival writes, of the first so many symbols."""
        keys = np.repeat(self.keys[:symbols], SESSIONS).tolist()
        texts = [f"{day} 00:00:00" for day in self.days.astype(str).tolist()] * symbols
        return [
            (key, "1d", text, text[:10], close, close + 1, close - 1, close, 1_000_000, 1, 0, "replay",
             "2024-06-01 00:00:00", "final")
            for key, text, close in zip(keys, texts, self.close[: len(keys)].tolist(), strict=True)
        ]  # fmt: skip


def made(symbols: int) -> Series:
    """Of so many new symbols, whose bars are not written yet."""
    tickers = [f"S{number:04}" for number in range(symbols)]
    Symbol.objects.bulk_create([Symbol(ticker=ticker, name="a share", **FACTS) for ticker in tickers])
    keys = dict(Symbol.objects.filter(ticker__in=tickers).values_list("ticker", "pk"))
    days = np.datetime64("2014-01-02") + np.arange(SESSIONS)
    moves = np.random.default_rng(1).normal(0, 0.01, (symbols, SESSIONS)).cumsum(axis=1)
    close = np.round(100 * np.exp(moves), 2).ravel() + 2
    return Series(tickers, np.array([keys[ticker] for ticker in tickers]), days, close)
