"""A web process's own figures, from what its hub holds. A pass over ten thousand clients takes milliseconds."""

import os
import time
from collections import Counter as Tally

from prometheus_client import Counter

from monitoring import metrics
from realtime import kinds
from realtime.administration.processes import Report, mine
from realtime.clients import Client
from realtime.hub.members import Members

BEHIND_SECONDS = 1.0  # who has taken nothing for so long is slow


class Meter:
    """Reads again and again; a rate is that of the time between two readings."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._began_at = time.time()
        self._at, self._sent = time.monotonic(), 0

    def read(self) -> Report:
        clients = self._members.clients
        now, sent = time.monotonic(), self._members.sent + sum([client.message_count for client in clients])
        rate = (sent - self._sent) / max(now - self._at, 0.001)
        self._at, self._sent = now, sent
        return Report(
            name=mine(),
            pid=os.getpid(),
            began_at=self._began_at,
            connections=len(clients),
            messages_sent=sent,
            messages_per_second=round(rate, 1),
            by_type=dict(Tally([type for client in clients for type in client.asked])),
            symbols=sorted(set(filter(None, map(kinds.ticker, self._members.held)))),
            slow=sum([is_behind(client) for client in clients]),
            slow_closed=counted(metrics.WEBSOCKETS_SLOW),
            gaps=counted(metrics.STREAM_GAPS),
        )


def is_behind(client: Client) -> bool:
    return client.behind_seconds > BEHIND_SECONDS


def counted(counter: Counter) -> int:
    """Where a counter of this process stands, one without labels."""
    return int(counter.collect()[0].samples[0].value)
