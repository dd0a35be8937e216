"""What a series of closes says as one number. Pure."""

import numpy as np

SESSIONS_A_YEAR = 252


def change_percent(before: float, after: float) -> float:
    """How far a price moved, in percent points."""
    return (after / before - 1) * 100


def drawdown_percent(close: np.ndarray) -> float:
    """The largest fall from an earlier peak, in percent of that peak: 0 where it never fell.

    close: float64 (n,), n ≥ 1, oldest first.
    """
    peaks = np.maximum.accumulate(close)
    return float((1 - close / peaks).max() * 100)


def volatility_percent(close: np.ndarray, sessions_a_year: int = SESSIONS_A_YEAR) -> float | None:
    """The annualised standard deviation of the logarithmic returns, in percent; None below three closes.

    close: float64 (n,), oldest first. Convention: sample deviation (n - 1), times the root of the sessions of a year.
    Source: Hull, Options, Futures and Other Derivatives, “Estimating volatility from historical data”.
    """
    if len(close) < 3:
        return None
    return float(np.diff(np.log(close)).std(ddof=1) * np.sqrt(sessions_a_year) * 100)
