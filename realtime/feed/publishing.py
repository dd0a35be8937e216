"""To streams, whose symbol may have another ticker by now."""

from collections.abc import Callable, Sequence

from realtime import kinds, streams
from realtime.feed.facts import Facts
from realtime.lease import Lease
from realtime.messages import Message
from realtime.streams import Published


def publish(
    found: Sequence[Message], *, batch: str, lease: Lease, facts: Facts, learn: Callable[[str], bool]
) -> Published:
    """Publish. A stream that had moved away from a ticker begins anew where the ticker is another symbol's now.

    batch: its id, however often this is tried. lease: the feed's. learn: looks up which ticker a symbol has now instead
    of one, for the facts; False where it could not.
    Raises streams.Renamed where the stream leads to the symbol that had the ticker: the batch is taken again, by its
    new name.
    """
    try:
        return streams.publish(found, batch=batch, lease=lease)
    except streams.Renamed as moved:
        ticker = kinds.address(moved.stream).ticker
        if not learn(ticker) or ticker in facts.names:
            raise
        streams.renew(kinds.of_symbols([ticker]))
        return publish(found, batch=batch, lease=lease, facts=facts, learn=learn)
