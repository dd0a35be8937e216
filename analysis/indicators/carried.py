"""One live indicator of one series, carried from quote to quote or from bar to bar; what breaks it costs no other."""

from dataclasses import dataclass
from datetime import date
from math import isfinite

from analysis.indicators import alone
from analysis.indicators.entry import Indicator, not_known
from analysis.indicators.live import Live
from market.bars import forming
from market.bars.columns.kept import Columns
from market.prices import Bar, Quote

Values = dict[str, float | None]
Value = tuple[float, ...] | None
EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class Carried:
    """live: None once it broke. reason: why it has no value at the last close, though there are bars enough."""

    indicator: Indicator
    live: Live | None
    reason: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def moved(self, quote: Quote | Bar, known: Values, *, is_closed: bool) -> tuple[Values, str]:
        """The values after a quote, or a bar, and why there are none.

        known: its session's bar so far, or the bar, as `columns` and `of_bar` give it. is_closed: it is counted.
        """
        if not (is_closed or quote.has_closed) and (found := self._formed(known)) is not None:
            return found
        value, reason = None, self.reason
        if self.live is not None:
            step = self._moved
            found, broken = alone.attempt(self.indicator.key, quote.ticker, step, self.live, quote, known, is_closed)
            if found is None:
                self.live, self.reason = None, broken
            value, reason = found or (None, broken)
        if value is None:
            return dict.fromkeys(self.outputs), reason
        if all(map(isfinite, value)):
            return dict(zip(self.outputs, value, strict=True)), reason
        defined = [each if isfinite(each) else None for each in value]
        return dict(zip(self.outputs, defined, strict=True)), reason or self.indicator.entry.undefined

    def _formed(self, known: Values) -> tuple[Values, str] | None:
        """Of a bar that forms, as nearly every one is: all known, all finite, or too few of them. None of any other, of
        which `moved` says more: a look changes nothing, so that it may be had again.
        """
        try:
            value = self.live.peek(*[known[name] for name in self.inputs])
            if value is None:
                return dict.fromkeys(self.outputs), self.reason
            return (dict(zip(self.outputs, value, strict=True)), "") if isfinite(sum(value)) else None
        except Exception:  # noqa: BLE001 - whatever it is, it comes again and is told in full
            return None

    def _moved(self, live: Live, quote: Quote | Bar, known: Values, is_closed: bool) -> tuple[Value, str]:
        if is_closed:
            value = live.value
            return value, self.reason if value is None else ""
        bar = [known[name] for name in self.inputs]
        if None in bar:
            unknown = [name for name in self.indicator.inputs if known[name] is None]
            reason = not_known(unknown, quote.session_date)
            if quote.has_closed:
                live.break_off()
                self.reason = reason
            return None, reason
        value = live.update(*bar) if quote.has_closed else live.peek(*bar)
        if quote.has_closed and value is not None:
            self.reason = ""
        return value, self.reason if value is None else ""


def opened(indicator: Indicator, ticker: str, columns: Columns) -> Carried:
    """An indicator open on the bars of a symbol."""
    found, broken = alone.attempt(indicator.key, ticker, lambda: indicator.carried(columns))
    return Carried(indicator, found, broken or indicator.lacking(columns), indicator.inputs, indicator.outputs)


def of_bar(bar: Bar) -> Values:
    """A bar within a session, in the same way; it is as traded, which is in today's shares."""
    return {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close, "volume": bar.volume,
            "session_date": float((bar.session_date - EPOCH).days)}  # fmt: skip


def columns(quote: Quote) -> Values:
    """A quote's session's bar so far, as it is kept; what the source does not say is None."""
    high, low = (quote.high, quote.low) if quote.open is None else forming.reach(quote)
    return {"open": quote.open, "high": high, "low": low, "close": quote.price, "volume": quote.volume,
            "session_date": float((quote.session_date - EPOCH).days)}  # fmt: skip
