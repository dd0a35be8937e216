"""Says messages on their streams: each batch once, by who may, with numbers that were given to nothing else.

A batch that is repeated, because its answer was lost, is not published again, and answered as it was then. Who holds
a lease publishes only while it does, by the server's own word. A server that was started again may have forgotten the
newest numbers: this process remembers the highest ones that it was given, and a stream that stands elsewhere begins a
new epoch, with what is forgotten told as its end.
"""

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from threading import Lock

from redis.exceptions import ResponseError

from monitoring import redis
from realtime.lease import Lease, LeaseLost
from realtime.messages import Message
from realtime.streams import scripts
from realtime.streams.lines import ASIDE, CONFLATED, KEPT, channel
from realtime.streams.reading import Position

HISTORY = 1000
HISTORY_SECONDS = 24 * 3600  # a history is kept after its last message
BATCH_SECONDS = 600  # a batch may be repeated for so long
STREAMS_A_STEP = 500  # of what is done to many streams: the server does nothing else meanwhile

_lock = Lock()
_given: dict[str, Position] = {}  # the highest number that this process was given of each stream
_run = ""  # of the server that gave them


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a batch. numbers: the seq of each message that was told now; none of what was told before."""

    numbers: list[int]
    _places: bytes

    def places(self) -> dict[int, Position]:
        """By its index in the batch, where each message is that is never conflated, also where it was told before.

        Left out are those of which a version before this one keeps that they were told, and not where.
        """
        lines = (line.split(b" ") for line in self._places.split(b"\n"))
        return {int(line[0]): Position(line[1].decode(), int(line[2])) for line in lines if len(line) == 3}


class Renamed(Exception):
    """Nothing was published: `stream` has another name now."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"{stream} has another name now")
        self.stream = stream


def new_batch() -> str:
    """An id for a batch that may have to be published again: made once, before the first time."""
    return secrets.token_hex(8)


def publish(messages: Sequence[Message], *, batch: str = "", lease: Lease | None = None) -> Published:
    """Number, keep and publish messages, in order; once, however often the batch is repeated.

    batch: its id, where it may be repeated. lease: the one under which this is said.
    Raises Renamed, LeaseLost, redis' ConnectionError.
    """
    if not messages:
        return Published([], b"")
    batch = batch or new_batch()
    names = list(dict.fromkeys([message.stream for message in messages]))
    told = [part for message in messages for part in (message.stream, _flags(message), message.body[:-1])]
    is_ours, is_settled = False, False
    while True:
        fence = ("", "") if lease is None else lease.fence
        head = [scripts.prefix(), channel(), scripts.new_epoch(), HISTORY, HISTORY_SECONDS, batch, BATCH_SECONDS]
        try:
            run, numbers, epochs, seqs, places = scripts.run("publish", [*head, *fence, _run, *told])
        except ResponseError as error:
            code, _, stream = str(error).partition(" ")
            if code == "RENAMED":
                raise Renamed(stream) from None
            if code == "FENCED" and lease is not None and not is_ours and lease.take():  # it had run out, and is free
                is_ours = True
            elif code == "FENCED":
                raise LeaseLost from None
            elif code == "RESTARTED" and not is_settled:
                settle(names)
                is_settled = True
            else:
                raise
        else:
            _remember(run, names, epochs, seqs)
            return Published(numbers, places)


def renew(names: Iterable[str]) -> None:
    """Begin each stream anew: another epoch, seq 0, no history; announced to everybody who listens."""
    _renew(list(names), "")


def renew_kinds(kinds: Collection[str]) -> None:
    """Begin every stream of these kinds anew that there is, whoever holds it, and whether anybody adds to it now."""
    _renew(names(kinds), "moved")


def close(names: Set[str], *, unless_in: Sequence[str]) -> Set[str]:
    """Begin streams anew that are told no more, as if one message more of each had been lost: more will be. Left as
    they are those that are in one of some sorted sets by then. Returns the others. Raises redis' errors.

    unless_in: the keys of the sets.
    """
    stay = _renew(list(names), "closing", keys=unless_in)
    forget(names - stay)
    return names - stay


def names(kinds: Collection[str]) -> list[str]:
    """Every stream of these kinds that there is, and every name that one had. Raises redis' errors."""
    start = f"{scripts.prefix()}state:"
    found = (key.decode()[len(start) :] for key in redis.client().scan_iter(match=f"{start}*", count=1000))
    return sorted({name for name in found if name.partition(":")[0] in kinds})


def rename(pairs: Sequence[tuple[str, str]], old: str, new: str) -> None:
    """Let a symbol's streams go on under its new name, where they were; announced to everybody. Safe to run again.

    pairs: the old and the new name of each stream; old, new: the symbol's.
    """
    named = [part for pair in pairs for part in (*pair, old, new)]
    scripts.run("rename", [scripts.prefix(), channel(), HISTORY_SECONDS, *named])
    with _lock:
        for was, name in pairs:
            if was in _given:
                _given[name] = _given.pop(was)


def settle(names: Iterable[str] = ()) -> None:
    """Where the server was started again: see that each stream of ours, and these, stands where we were told it does.

    One that does not begins anew. Safe to run again, and cheap where nothing was started again.
    """
    global _run
    run = redis.client().info("server")["run_id"]
    with _lock:
        asked = {name: _given.get(name, Position("", 0)) for name in names}
        if run != _run:
            asked |= _given
    for some in _parts(list(asked)):
        given = [part for name in some for part in (name, *asked[name])]
        _remember_places(*scripts.run("settle", [scripts.prefix(), channel(), scripts.new_epoch(), *given]))
    _run = run


def forget(names: Iterable[str]) -> None:
    """Nothing is added to these any more."""
    with _lock:
        for name in names:
            _given.pop(name, None)


def _renew(names: Sequence[str], how: str, *, keys: Sequence[str] = ()) -> set[str]:
    """Returns those that somebody holds. how: as the script says."""
    stay: set[str] = set()
    for some in _parts(names):
        head = [scripts.prefix(), channel(), scripts.new_epoch(), how]
        run, places, held = scripts.run("renew", [*head, *some], keys)
        _remember_places(run, places)
        stay |= set(map(bytes.decode, held))
    return stay


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + STREAMS_A_STEP] for start in range(0, len(names), STREAMS_A_STEP))


def _remember_places(run: bytes, places: Sequence[bytes]) -> None:
    names, epochs, seqs = (places[column::3] for column in range(3))
    _remember(run, [name.decode() for name in names], epochs, [int(seq) for seq in seqs])


def _remember(run: bytes, names: Iterable[str], epochs: Iterable[bytes], seqs: Iterable[int]) -> None:
    """Keep what we were given; within an epoch the highest, as several threads publish."""
    global _run
    with _lock:
        _run = _run or run.decode()
        for stream, epoch, seq in zip(names, map(bytes.decode, epochs), seqs, strict=True):
            before = _given.get(stream)
            if before is None or before.seq < seq or before.epoch != epoch:
                _given[stream] = Position(epoch, seq)


def _flags(message: Message) -> str:
    """As its line says them; behind them what is told once only."""
    flags = (KEPT if message.keep else "") + (CONFLATED if message.conflate else "") + (ASIDE if message.aside else "")
    return f"{flags} {message.once}" if message.once else flags
