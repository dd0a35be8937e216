"""What low rooms tell high ones: changes of jobs, read from their bounded list and published on the stream `jobs`."""

import logging
from threading import Event, Thread

import orjson
from redis.exceptions import RedisError

from monitoring import redis
from monitoring.jobs import changes
from realtime import messages, streams

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2
BATCH = 1000  # changes of one message; of a job only the newest facts are told


class Relay:
    """Publishes while the block lasts. One feed holds the lease, so one relay reads the list."""

    def __init__(self) -> None:
        self._over = Event()
        self._thread = Thread(target=self._go_on, name="relay", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                while pass_on() == BATCH:
                    pass
            except RedisError as away:
                logger.warning("The jobs' changes wait: %s", away)


def pass_on() -> int:
    """Publish the oldest changes, then take them off the list: a crash repeats them. Returns how many."""
    client = redis.client()
    told = client.lrange(changes.KEY, 0, BATCH - 1)
    if told:
        overflowed = client.llen(changes.KEY) >= changes.LIMIT
        streams.publish([messages.jobs(merged(told), is_whole=not overflowed)])
        client.ltrim(changes.KEY, len(told), -1)
    return len(told)


def merged(told: list[bytes]) -> list[dict]:
    """The newest facts of each job, in the order in which the jobs changed last."""
    newest: dict[str, dict] = {}
    for text in told:
        if (change := changes.FORMAT.unpack(text)) is not None:
            newest[change.task_id] = newest.pop(change.task_id, {}) | orjson.loads(text)
    return list(newest.values())
