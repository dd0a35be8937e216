"""What low rooms tell high ones, read from their bounded lists: changes of jobs, published on the stream `jobs`, and
what the analysis found.
"""

from threading import Event, Thread

import orjson
from django.db import InterfaceError, OperationalError, connections

from monitoring import lists, redis
from monitoring.jobs.telling import changes
from monitoring.loops import Loop
from realtime import findings, messages, streams
from realtime.lease import Lease, LeaseLost

PAUSE_SECONDS = 0.2
AWAY = (*redis.AWAY, OperationalError, InterfaceError, LeaseLost)
BATCH = 1000  # changes of one message; of a job only the newest facts are told


class Relay:
    """Publishes while the block lasts. One feed holds the lease, so one relay reads the list."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._over = Event()
        self._thread = Thread(target=self._go_on, name="relay", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        try:
            with Loop("relay", every_seconds=PAUSE_SECONDS, away=AWAY) as loop:
                while not self._over.wait(PAUSE_SECONDS):
                    with loop.turn():
                        self._turn(loop)
        finally:
            connections.close_all()

    def _turn(self, loop: Loop) -> None:
        while pass_on(loop, self._lease) == BATCH:
            pass
        try:
            while findings.pass_on(loop, self._lease):
                pass
        except (OperationalError, InterfaceError):
            connections.close_all()
            raise


def pass_on(loop: Loop, lease: Lease) -> int:
    """Publish the oldest changes, then take them off the list: a crash repeats them. Returns how many.

    What is no change, and what the stream does not take, leaves the list too: as its head it would hold up all that
    come behind it.
    """
    client = redis.client()
    told = client.lrange(changes.LIST.key, 0, BATCH - 1)
    if told:
        skipped, overflowed = loop.skipped, client.llen(changes.LIST.key) >= changes.LIMIT
        newest = merged(told, loop)
        is_lossy = overflowed or loop.skipped > skipped or any(map(lists.is_loss, told))
        with loop.one(f"{len(newest)} changes"):
            streams.publish([messages.jobs(newest, is_whole=not is_lossy)], lease=lease)
        client.ltrim(changes.LIST.key, len(told), -1)
    return len(told)


def merged(told: list[bytes], loop: Loop) -> list[dict]:
    """The newest facts of each job, in the order in which the jobs changed last."""
    newest: dict[str, dict] = {}
    for text in told:
        if lists.is_loss(text):
            continue
        with loop.one(text):
            if (change := changes.FORMAT.unpack(text)) is None:
                raise ValueError("this is no change of a job")
            facts = orjson.loads(text)
            messages.encode(facts)  # what can be read is not always something that can be told: a depth of 900
            newest[change.task_id] = newest.pop(change.task_id, {}) | facts
    return list(newest.values())
