"""How long a price that came takes until it is written to the sockets of this process."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from monitoring import metrics
from realtime.frames import Encoded
from realtime.kinds import PRICES

MOST = 200  # streams that are looked at: of more the first that come, and others after a while
FLUSHES = 10_000  # until others are
_STREAMS = PRICES.of("")
_RECEIVED = re.compile(rb'"received_at":"([^"]+)"')  # also of what stands beside a close


class Delays:
    """Of each flush: from our receipt of the newest prices in it to the end of its writes.

    What is told again, as a price of before a session that is over, came long before and is not measured again; so the
    first of a stream is not either.
    """

    def __init__(self) -> None:
        self._newest: dict[str, bytes] = {}  # by stream the latest receipt that was told
        self._flushes = 0

    def begin(self, waiting: Iterable[tuple[str, list[Encoded]]]) -> list[bytes]:
        """When the prices were received that go out with this flush. waiting: by stream, what it has brought."""
        self._flushes += 1
        if self._flushes % FLUSHES == 0:
            self._newest.clear()
        told: list[bytes] = []
        for stream, some in waiting:
            before = self._newest.get(stream)
            if before is None and (len(self._newest) >= MOST or not stream.startswith(_STREAMS)):
                continue
            at = max(_RECEIVED.findall(some[-1].body), default=b"")
            if before is None or at > before:
                self._newest[stream] = at
                told += [at] if before else []
        return told

    def end(self, told: Iterable[bytes]) -> None:
        """All of it was written, as far as clients take it."""
        now = datetime.now(UTC)
        for at in told:
            metrics.PRICE_TO_CLIENT.observe((now - datetime.fromisoformat(at.decode())).total_seconds())
