"""What a process does that plays the recording as the feed does, and writes down what it was told."""

import sys
import threading

from market import bars, quotes
from market.bars import forming
from market.sources import Tick
from market.sources.replay.source import Replay


def play() -> None:
    source = Replay()
    source.prepare()
    for event in source.batches(threading.Event()):
        if isinstance(event, Tick):
            (quote,) = event.quotes
            step = (quote.session_date, quote.ticker, quote.price, quote.volume, quote.received_at.timestamp())
            sys.stdout.write(f"{' '.join(map(str, step))}\n")
            sys.stdout.flush()
            made = [forming.daily_bar(kept) for kept in quotes.keep(event.quotes)]
            bars.upsert([bar for bar in made if bar.is_final])
            forming.keep(made)
