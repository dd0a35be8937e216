"""The player: any past session that is held, again, as if it were live. It reads once, and writes nothing.

finer           what is held of within sessions, and the way that a price went (pure)
held            a symbol's history, cut by the clock (pure)
sessions        the sessions of several symbols, and what each tells, in one order (pure)
reach           where something may happen, over whole arrays (pure)
forming         the bars within a session that what is told forms
clock           when what is played is due (pure)
within          reads what is held of within sessions
reading         reads what is to be played
steering        what staff want of the player of a recorded source, and where it stands

A session is played by its number, and depends on nothing that was played before it: so a seek is a look-up, and the
same session says the same in any process and at any speed. Who plays keeps the place.
"""

from market.player.clock import SESSION_SECONDS, Clock
from market.player.forming import Forming, Moved
from market.player.held import Held
from market.player.reading import MOST_BYTES, Backwards, Reading, read, worded
from market.player.sessions import Sessions, Step

__all__ = [
    "MOST_BYTES",
    "SESSION_SECONDS",
    "Backwards",
    "Clock",
    "Forming",
    "Held",
    "Moved",
    "Reading",
    "Sessions",
    "Step",
    "read",
    "worded",
]
