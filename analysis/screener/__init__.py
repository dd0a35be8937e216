"""Which symbols a condition holds for, by the bars of each that have closed.

asking          what is asked: a condition, columns and an order; a fault is named by its path (pure)
kept            values that are kept already: wide rows of the default set, and key figures
computed        values that are computed of the bars
screening       the answer: who is in it, who entered and left, and of whom nobody knows
screens         the questions that people keep, and share by a link
"""

from analysis.screener.asking import Asked, read, read_text
from analysis.screener.screening import EARLIER, Screened, TooMany, screen

__all__ = ["EARLIER", "Asked", "Screened", "TooMany", "read", "read_text", "screen"]
