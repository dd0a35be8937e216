"""One symbol's bars beside those of others: when each was over is asked of its exchange."""

from collections.abc import Iterable, Mapping

from analysis.against import closes
from analysis.indicators import catalogue, frames
from analysis.indicators.frames import Other
from market import bars, symbols
from market.bars.columns import ends


def beside(series: bars.Series, held: Mapping[str, bars.Series]) -> dict[str, Other]:
    """Each of the others at the bars of one, its forming one among them."""
    homes = {text: row.exchange for text, row in symbols.found([series.ticker, *held]).items()}
    mine, interval = frames.with_newest(series), series.interval
    over = ends.of(homes[series.ticker], interval, mine)
    found = {}
    for ticker, other in held.items():
        theirs = frames.with_newest(other)
        theirs_over = ends.of(homes[ticker], interval, theirs)
        known = closes.beside(over, theirs_over, theirs["close"], ends.stale_after(interval))
        found[ticker] = Other(other, known)
    return found


def named(names: Iterable[str], against: str = "") -> tuple[list[str], list[str]]:
    """Names as keys have them, with today's tickers of those that some are measured against, and these. Raises
    UnknownSymbol.
    """
    spelled = [catalogue.spelled(name, against) for name in names]
    known = {text: symbols.resolve(text).ticker for text in catalogue.others(spelled)}
    return [catalogue.against(name, known) for name in spelled], list(dict.fromkeys(known.values()))


def read(series: bars.Series, tickers: list[str]) -> dict[str, Other]:
    """The same of what is held of these now."""
    if not tickers:
        return {}
    held = {each: bars.series(each, interval=series.interval, adjusted=series.adjustment) for each in tickers}
    return beside(series, held)
