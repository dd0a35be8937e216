"""Whether a bar still forms, and whether it is settled. Pure.

It forms until its time is over: a later bar is there, or what comes last in it, or what is held or the market's clock
has come to a later session than any of it. What comes last is the last session of the calendar up to its end, and
within a session the part that ends with it. It is final once all of its parts are and, of whole sessions, none of the
calendar is missing. What a symbol has not from the first session on that was loaded is not missing; where no calendar
tells, nothing is; within a session nothing is either, as minutes without a trade have no bar.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from market.bars.batch import CLOSED, FORMING, Batch
from market.bars.resampling.hours import UNKNOWN_HOURS, Hours
from market.bars.resampling.values import Made
from market.intervals import ALL, Interval

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the sessions of a symbol, in days since 1970.

    told: says which calendar `hours` are of; equal ones are equal. wanted: from when on all is loaded that there is;
    None where it is not. first: the first session that is held.
    """

    told: str = ""
    wanted: int | None = None
    first: int | None = None
    hours: Hours = field(default=UNKNOWN_HOURS, compare=False, repr=False)


UNKNOWN = Known()


def settle(made: Made, parts: Batch, interval: Interval, known: Known, today: int | None) -> Made:
    """The bars with their states. parts: those that they were made of, of one symbol.

    today: the session that is come to, in days since 1970; None where nobody tells it.
    """
    if not len(made.bars):
        return made
    last = _last_days(made.bars.session, interval)
    is_over = np.append(np.ones(len(last) - 1, bool), today is not None and today > last[-1])
    if interval.is_whole:
        is_over |= _is_last_session(made, last, known.hours)
        is_whole = _is_whole(made, parts, last, known)
    else:
        is_over |= _is_last_part(made, parts, interval, known.hours)
        is_whole = np.ones(len(last), bool)
    state = np.where(is_whole, made.bars.state, np.minimum(made.bars.state, CLOSED))
    return replace(made, bars=replace(made.bars, state=np.where(is_over, state, FORMING)))


def _last_days(session: np.ndarray, interval: Interval) -> np.ndarray:
    return interval.dates(session + interval.seconds // _DAY_SECONDS) - 1 if interval.dates else session


def _is_last_session(made: Made, last: np.ndarray, hours: Hours) -> np.ndarray:
    """Whether no session of the calendar follows the last that is there, up to the last day."""
    session = made.last_session
    return hours.knows(session, last) & (hours.count(session + 1, last) == 0)


def _is_whole(made: Made, parts: Batch, last: np.ndarray, known: Known) -> np.ndarray:
    first, hours = made.bars.session, known.hours
    held = np.add.reduceat(hours.has(parts.session).astype(np.int64), made.begins)
    if known.wanted is not None and known.first is not None:  # between these there is none
        held += np.maximum(hours.count(np.maximum(first, known.wanted), np.minimum(known.first - 1, last)), 0)
    return ~hours.knows(first, last) | (held >= hours.count(first, last))


def _is_last_part(made: Made, parts: Batch, interval: Interval, hours: Hours) -> np.ndarray:
    """Whether the last part ends when the bar does, or later."""
    opened = made.bars.opened
    _, rests, ends, closes = hours.of(made.bars.session, opened).T
    close = np.where(opened >= ends, closes, rests)
    until = np.where(opened < close, np.minimum(opened + interval.seconds, close), opened + interval.seconds)
    return parts.opened[made.ends - 1] + ALL[parts.interval].seconds >= until
