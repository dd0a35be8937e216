"""Jobs for the browser tests: one that can be watched, one that stumbles, one that breaks."""

import time
from typing import Literal

from market.models import Bar
from monitoring import jobs
from monitoring.jobs import job


class Away(Exception):
    temporary = True
    code = "upstream_down"


@job("rehearsal.backfill", about="symbols", timeout=120)
def backfill(
    symbols: list[str], sessions: int = 20, pause: float = 0.05, interval: Literal["1d", "1h"] = "1d", raw: bool = False
) -> dict:
    """Fetch the sessions of some symbols, slowly, and say how far it is."""
    running, total = jobs.current(), len(symbols) * sessions
    for done in range(total):
        running.progress(done, total, symbols[done // sessions])
        time.sleep(pause)
    running.progress(total, total)
    with running.commit() as end:
        end.result = {"symbols": symbols, "interval": interval, "raw": raw, "bars": total}
        end.note(Bar, total, [symbols[0], "2012-09-04"], [symbols[-1], "2012-10-01"])
    return end.result


@job("rehearsal.some", about="symbols")
def some(symbols: list[str]) -> dict:
    """Read symbols, of which one in small letters is not known."""
    outcome = jobs.fan_out(symbols, _known, parallel=1)
    with jobs.current().commit() as end:
        end.result = outcome.as_json()
    return end.result


def _known(symbol: str) -> None:
    if symbol.islower():
        raise LookupError(f"there is no symbol {symbol}")


@job("rehearsal.stumble", about="symbol", backoff_seconds=1.0)
def stumble(symbol: str) -> None:
    """Ask a source that is away, again and again."""
    time.sleep(0.2)
    raise Away(f"{symbol}: no answer in 10 s")


@job("rehearsal.break", isolated=True)
def break_off(reason: str = "a value that cannot be", limits: dict | None = None) -> None:
    """Fail at once, for good."""
    raise ValueError(reason)
