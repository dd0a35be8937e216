"""Numbered streams in the Redis protocol: each message gets the next `seq` of its stream's epoch, goes into the bounded
history and is published, all in one step, so that what was numbered can be recovered and nothing is numbered twice.

For a stream there are a hash and a history (a Redis stream whose ids are `seq-0`). The hash holds its epoch and seq,
`kept`: the highest seq in the history, `latest`: the newest message that is not aside, `run`: which run of the server
numbered last, `until`: when the history ends, a day after its last message; where its stream is stays. Each kept
message names the one kept before it. Live messages of one batch travel as one publication: lines of `stream TAB epoch
TAB seq TAB flags TAB body`; JSON has neither raw tabs nor line feeds. Flags and columns that a reader does not know
mean nothing to it, so that one version may say more than another. Streams that begin in one step have epochs of their
own, so that a position in one never counts as one in another.
"""

from realtime.streams.lines import ASIDE, CONFLATED, EPOCH, KEPT, RENAMED, Line, channel, lines
from realtime.streams.publishing import (
    HISTORY,
    Published,
    Renamed,
    close,
    forget,
    names,
    new_batch,
    publish,
    rename,
    renew,
    renew_kinds,
    settle,
)
from realtime.streams.reading import Position, Reading, history, kept, reading_script, readings, said, seq_of

__all__ = [
    "ASIDE", "CONFLATED", "EPOCH", "HISTORY", "KEPT", "RENAMED", "Line", "Position", "Published", "Reading", "Renamed",
    "channel", "close", "forget", "history", "kept", "lines", "names", "new_batch", "publish", "reading_script",
    "readings", "rename", "renew", "renew_kinds", "said", "seq_of", "settle",
]  # fmt: skip
