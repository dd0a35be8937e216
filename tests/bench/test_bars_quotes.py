"""Ticks of 500 symbols as the feed takes them: kept, numbered and published in Redis.

Counted are the processor seconds of this process and of Redis: what one core does that has both of them.
"""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from market import quotes
from market.prices import SECOND, Quote
from monitoring import redis
from realtime import messages, streams
from tests.bench.evidence import Evidence, Line

pytestmark = [pytest.mark.bench]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, TICKS, FIRST = 500, max(2, round(60 * SCALE)), 5  # the first ones fill what is empty


def test_quotes_kept_and_published():
    server, symbols_a_second = redis.client().info("server")["process_id"], []
    for number in range(FIRST + TICKS):
        tick = _tick(number)
        began = _cpu(server)
        numbers = streams.publish([messages.price(quote) for quote in quotes.keep(tick)]).numbers
        symbols_a_second.append(SYMBOLS / (_cpu(server) - began))
        assert numbers == [number + 1] * SYMBOLS
    evidence, limit = Evidence("bars-quotes"), [20_000.0] * TICKS
    what, mine = "quotes kept and published, one core", symbols_a_second[FIRST:]
    line = Line(what, mine, limit, "symbols/s", 5_000, 20_000, gates_ours=True)
    evidence.add(line)
    evidence.tell()
    assert line.reaches(line.gate)


def _tick(number: int) -> list[Quote]:
    """A price of each symbol, later than the last one, all received together."""
    at = datetime.now(UTC)
    return [
        Quote(
            ticker=f"S{place:04}", price=100.0 + place + number / 100, previous_close=99.5 + place, open=100.0 + place,
            high=101.0 + place + number / 100, low=98.25 + place, volume=1_000_000 + number, session_date=at.date(),
            as_of=at - timedelta(milliseconds=place), as_of_precision=SECOND, received_at=at, source="yahoo",
            market_state="open",
        )
        for place in range(SYMBOLS)
    ]  # fmt: skip


def _cpu(server: int) -> float:
    return time.process_time() + time.clock_gettime(~server << 3 | 2)  # Linux's clock of another process
