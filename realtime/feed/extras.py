"""Indicators beyond those that everybody gets, live for as long as somebody holds their streams."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from analysis.indicators import catalogue
from analysis.indicators.entry import Indicator
from analysis.summary import INTERVAL, IndicatorValues, Summary
from market.prices import Quote
from monitoring.loops import Loop
from realtime import kinds, messages, naming
from realtime.feed.insisting import AWAY
from realtime.kinds import INDICATORS
from realtime.messages import Message

logger = logging.getLogger(__name__)

OPENED_A_LOOK = 50  # symbols: each reads its bars


class Extras:
    """What is wanted, by symbol and key."""

    def __init__(self) -> None:
        self._wanted: dict[str, dict[str, Indicator]] = {}
        self.summary = Summary(lambda ticker: self._wanted[ticker], is_kept=False)

    @property
    def names(self) -> set[str]:
        return {INDICATORS.of(ticker, indicator=key) for ticker, keys in self._wanted.items() for key in keys}

    def open(self, names: Iterable[str], seen: Mapping[str, Quote], loop: Loop) -> list[Message]:
        """Make these from now on, of many a few, and no others; what the new ones say as of the last quotes."""
        found = _by_ticker(names)
        self._close(found)
        told: list[Message] = []
        opened = [ticker for ticker, keys in found.items() if keys.keys() - self._wanted.get(ticker, {}).keys()]
        for ticker in opened[:OPENED_A_LOOK]:
            new = found[ticker].keys() - self._wanted.get(ticker, {}).keys()
            self._wanted[ticker] = found[ticker]
            self.summary.forget([ticker])
            try:
                with loop.one(f"indicators of {ticker}"):
                    told += self._first(seen.get(ticker), new)
            except AWAY as error:
                logger.warning("Extra indicators are opened a little later: %s", error)
                del self._wanted[ticker]
                break
        return told

    def moved(self, quotes: Sequence[Quote]) -> list[Message]:
        """What they say after these quotes. One that breaks costs nothing that everybody gets."""
        values = self._values([quote for quote in quotes if quote.ticker in self._wanted])
        return [message for each in values for message in _messages(each, each.values)]

    def _values(self, quotes: Sequence[Quote]) -> list[IndicatorValues]:
        """Where that of many breaks each is asked by itself, so that only the one which does is opened anew."""
        if not quotes:
            return []
        try:
            return self.summary.tick(quotes)
        except AWAY:
            raise
        except Exception as error:
            if len(quotes) == 1:
                logger.error("Extra indicators of %s are opened anew", quotes[0].ticker, exc_info=error)
                self.summary.forget([quotes[0].ticker])
                return []
        return [values for quote in quotes for values in self._values([quote])]

    def _first(self, quote: Quote | None, keys: Iterable[str]) -> list[Message]:
        """What they say as of a quote that was told: whoever comes later gets it, and nobody has to have it."""
        values = self.summary.now(quote) if quote is not None else None
        return [replace(message, keep=False, conflate=True) for message in _messages(values, keys)]

    def _close(self, found: Mapping[str, Mapping[str, Indicator]]) -> None:
        """What nobody holds any more."""
        for ticker, keys in list(self._wanted.items()):
            if gone := keys.keys() - found.get(ticker, {}).keys():
                left = {key: indicator for key, indicator in keys.items() if key not in gone}
                self.summary.leave_out(ticker, gone)
                if left:
                    self._wanted[ticker] = left
                else:
                    del self._wanted[ticker]
                    self.summary.forget([ticker])


def _by_ticker(names: Iterable[str]) -> dict[str, dict[str, Indicator]]:
    found: dict[str, dict[str, Indicator]] = {}
    for name in names:
        if kinds.is_by_symbol(name) and kinds.is_extra(name) and naming.is_published(name):
            ticker, interval, key = kinds.address(name)
            if interval == INTERVAL:
                found.setdefault(ticker, {})[key] = catalogue.named(key)
    return found


def _messages(values: IndicatorValues | None, keys: Iterable[str]) -> list[Message]:
    return [] if values is None else [messages.indicators(values, key) for key in sorted(keys)]
