"""The periods that an analysis may cover."""

from typing import Literal, get_args

Period = Literal["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
PERIODS = get_args(Period)
DEFAULT: Period = "1mo"
NEWEST: Period = "1d"  # the newest bar, with what the bars before it make of its values

# The last sessions; or whole months back from the last bar's date. `ytd` and `max` are neither.
SESSIONS = {"1d": 1, "5d": 5}
MONTHS = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60, "10y": 120}
