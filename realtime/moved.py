"""What moves with prices, as it is told: bars, and the indicators that stand upon the same ones. Pure.

The feed says it of what it stores and a player of what is held: nobody else words it.
"""

from collections.abc import Callable, Iterable

from analysis.summary import ADJUSTMENT, IndicatorValues
from market.prices import Bar
from realtime import messages
from realtime.messages import Message


def told(bars: Iterable[Bar], values: Iterable[IndicatorValues], version: Callable[[str], str]) -> list[Message]:
    """version: that of the final bars of a ticker, as the indicators know it that stand upon the same."""
    # The newest bar is as traded and in today's shares, which is what pages show.
    return [
        *(messages.bar(bar, version(bar.ticker), adjustment=ADJUSTMENT) for bar in bars),
        *map(messages.indicators, values),
    ]
