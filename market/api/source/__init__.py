"""Where prices come from, over HTTP.

health          how the source answers, and the pace at which it is asked
pausing         leave it alone for a while
replaying       where the player of a recorded one is, and what staff want of it
"""
