"""Which splits Yahoo has restated its past by, and what of an answer would change ours without a word. Pure.

Yahoo names a split, on its day and before, while the prices before it are still those of the old shares. What we hold
says it: what equals our closes without the split has not been restated. Where we hold nothing, the step does that the
prices make on the day.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import groupby

import numpy as np

from market.bars import batch
from market.prices import Bar
from market.sources.yahoo.charts.candles import Dated
from market.sources.yahoo.charts.events.held import Held
from market.sources.yahoo.charts.events.told import Events, Split

LOOKED_AT = 20  # sessions before a split
SAME = 0.005  # what a close may be corrected by
ALIKE = 0.002  # what the ratios of one run may be apart
RUN = 3  # so many bars that change by one ratio are no corrections
SMALLEST_STEP = 1.05  # a smaller split is not seen in the prices of its day


def judged(told: Events, rows: Dated, held: Held, unit: Fraction, today: date) -> Events:
    """The same with the splits that the answer names and has not restated by. today: the exchange's date.

    What comes before one of which nobody can say it is not known; nobody restates by one before its day.
    """
    for split in reversed(told.splits):
        answer = _is_restated(split, told, rows, held, float(unit))
        if answer is None and split.ex_date > today:
            answer = False
        if answer is None:
            why = f"the prices before {split.ex_date}: nobody can say whether the split is in them"
            known_from, undecided = max(told.known_from, split.ex_date), told.undecided or split.ex_date
            told = replace(told, known_from=known_from, undecided=undecided, left_out=[*told.left_out, why])
        elif not answer:
            told = replace(told, unrestated=told.unrestated | {split})
    return told


def uncontested(bars: Sequence[Bar], told: Events, held: Held) -> tuple[list[Bar], list[str]]:
    """The bars without the runs that differ from ours by one ratio, and a sentence about each run.

    A split whose ratio or date the source corrects explains such a run.
    """
    runs, left, words = _runs(bars, held), set(), []
    steps = [step for split in told.splits for step in (split.value, 1 / split.value)]
    for ratio, run in runs:
        is_step = any(_is_near(ratio, step, ALIKE) for step in steps)
        is_explained = all(_is_near(ratio, _explained(bar, told, held), ALIKE) for bar in run)
        if (len(run) >= RUN or is_step) and not is_explained:
            left |= {bar.opened_at for bar in run}
            days = f"{run[0].session_date} to {run[-1].session_date}"
            words.append(
                f"{len(run)} bars from {days} would change by one ratio, {ratio:.6g}: ours are kept, "
                "and the job market.reload takes the source's"
            )
    return [bar for bar in bars if bar.opened_at not in left], words


def _is_restated(split: Split, told: Events, rows: Dated, held: Held, unit: float) -> bool | None:
    is_before = rows.session < batch.day(split.ex_date)
    before = [rows[place] for place in np.flatnonzero(is_before)[-LOOKED_AT:]]
    if not before:
        return True
    votes = 0
    for session, row in before:
        as_traded, ours = row.close * unit * told.later(session), held.closes.get(session)
        if ours:
            votes += _is_near(as_traded, ours, SAME) - _is_near(as_traded / split.value, ours, SAME)
    if votes:
        return votes > 0
    if is_before.all():
        return None
    if max(split.value, 1 / split.value) < SMALLEST_STEP:
        return True
    step = before[-1][1].close / rows.rows[int(np.argmin(is_before))].open
    return abs(math.log(step)) <= abs(math.log(step / split.value))


def _runs(bars: Sequence[Bar], held: Held) -> list[tuple[float, list[Bar]]]:
    """The bars that differ from ours, where those of one ratio follow each other; each run with its ratio."""
    compared = [(bar, bar.close / held.closes[bar.session_date]) for bar in bars if held.closes.get(bar.session_date)]
    marks, first = [], 1.0
    for _, ratio in compared:
        first = first if _is_near(ratio, first, ALIKE) else ratio
        marks.append(first)
    grouped = groupby(zip(compared, marks, strict=True), key=lambda item: item[1])
    return [(mark, [bar for (bar, _), _ in items]) for mark, items in grouped if not _is_near(mark, 1.0, SAME)]


def _explained(bar: Bar, told: Events, held: Held) -> float:
    """What a bar changes by where the source corrects a split: one that we hold is named no more, or otherwise."""
    named = {(split.ex_date, split.value) for split in told.splits}
    if all(any(day == each and _is_near(value, other, ALIKE) for each, other in named) for day, value in held.splits):
        return 1.0
    return told.later(bar.session_date) / held.later(bar.session_date)


def _is_near(value: float, other: float, tolerance: float) -> bool:
    return abs(value - other) <= tolerance * other
