"""History of bars within sessions.

loading         what is missing, fetched window by window and stored
made            what a source tells no more, made of shorter ones
"""

from market.history.within.loading import DaysFirst, NotWhole, Reach, fill, first_session, refresh

__all__ = ["DaysFirst", "NotWhole", "Reach", "fill", "first_session", "refresh"]
