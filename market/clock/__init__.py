"""The market's clock: of a live source it is now; of a recorded one it stands where its player does, as a row.

session         up to where the doors of bars, actions and coverage read
passes          where the player stands, and what is derived in one pass alone
"""

from market.clock.session import asked, before, cut, lifted, session, until

__all__ = ["asked", "before", "cut", "lifted", "session", "until"]
