"""What a series of closes says as one number. Pure."""

import numpy as np

CONVENTION = 252  # sessions a year where no calendar counts them


def change_percent(before: float, after: float) -> float | None:
    """How far a price moved, in percent points; None from nothing or less, of which there is no part."""
    return (after / before - 1) * 100 if before > 0 else None


def drawdown_percent(close: np.ndarray) -> float | None:
    """The largest fall from an earlier peak, in percent of that peak: 0 where it never fell.

    close: float64 (n,), n ≥ 1, oldest first. None where one is not above zero.
    """
    if close.min() <= 0:
        return None
    peaks = np.maximum.accumulate(close)
    return float((1 - close / peaks).max() * 100)


def volatility_percent(close: np.ndarray, sessions_a_year: int) -> float | None:
    """The annualised standard deviation of the logarithmic returns, in percent.

    close: float64 (n,), oldest first. None below three closes, or where one is not above zero. Convention: sample
    deviation (n - 1), times the root of the sessions of a year.
    Source: Hull, Options, Futures and Other Derivatives, “Estimating volatility from historical data”.
    """
    if len(close) < 3 or close.min() <= 0:
        return None
    return float(np.diff(np.log(close)).std(ddof=1) * np.sqrt(sessions_a_year) * 100)
