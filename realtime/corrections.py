"""What changed held bars is told on their streams, so that what a client keeps of them is never silently wrong.

Whoever writes bars leaves each move of a version in a bounded list. Here those are told that say something else of
what was held, and every one is followed: a version that moved by none of them was lost on the way, or written by
somebody who tells nothing. Then all that is held is told as revised. Of every move of days a worker computes anew what
is kept of their indicators.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from threading import Event, Thread

from django.db import InterfaceError, OperationalError, connections

from market import bars, coverage, intervals, symbols
from market.clock import passes
from market.coverage import rows, telling
from market.coverage.rows import Key
from market.coverage.telling import Change, Span
from market.intervals import DAY
from market.models import Symbol
from market.prices import FINAL
from monitoring import formats, jobs, lists, redis
from monitoring.loops import Loop
from realtime import messages, renaming, streams
from realtime.lease import Lease, LeaseLost
from realtime.messages import Message

PAUSE_SECONDS = 0.2
LOOK_SECONDS = 15.0  # between two looks at all versions; what nobody told for so long is lost
BATCH = 1000
ASK_SECONDS = 2.0  # between two jobs that compute indicators anew: a close moves many symbols within seconds
MOST_SETTLED = 500  # bars that are told one by one; who keeps more of them reads the range of the correction
AWAY = (*redis.AWAY, OperationalError, InterfaceError, LeaseLost)
_FORMAT = formats.Format(str)


class Corrections:
    """Tells while the block lasts. One feed holds the lease, so one of these reads the list."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._over = Event()
        self._thread = Thread(target=self._go_on, name="corrections", daemon=True)
        self._loop = Loop("corrections", every_seconds=PAUSE_SECONDS, away=AWAY)
        self._moves: dict[Key, dict[str, str]] = defaultdict(dict)  # versions after those before, not reached yet
        self._doubted: dict[Key, str] = {}
        self._look_at = 0.0
        self._moved: set[int] = set()  # symbols of which a worker has not been asked yet
        self._ask_at = 0.0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        try:
            with self._loop:
                while not self._over.wait(PAUSE_SECONDS):
                    with self._loop.turn():
                        self.turn()
        finally:
            connections.close_all()

    def turn(self) -> None:
        """Tell what the list says, and now and then look for what it does not."""
        try:
            while self.pass_on() == BATCH:
                pass
            if time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + LOOK_SECONDS
                self.look()
            if self._moved and time.monotonic() >= self._ask_at:
                self._ask_at = time.monotonic() + ASK_SECONDS
                self.ask()
        except (OperationalError, InterfaceError):
            connections.close_all()
            raise

    def pass_on(self) -> int:
        """Tell the oldest changes, then take them off the list: a crash repeats them. Returns how many lines.

        One that can't be told leaves it too: as its head it would hold up all that come behind it.
        """
        client = redis.client()
        lines = client.lrange(telling.LIST.key, 0, BATCH - 1)
        if lines:
            changes = telling.FORMAT.unpack_all(line for line in lines if not lists.is_loss(line))
            self._publish(changes)
            self._lease.require()  # who slept through it takes off nothing that its successor has still to tell
            self._follow(changes)
            self._moved |= {change.symbol for change in changes if change.interval == DAY.name}
            client.ltrim(telling.LIST.key, len(lines), -1)
        return len(lines)

    def look(self) -> None:
        """Tell of the versions that moved since the last look, and of which nobody has told yet."""
        known, found = _known(), {(row.symbol_id, row.interval): row for row in rows.every()}
        new = {key: row.version for key, row in found.items() if key not in known}
        differing = {key: known[key] for key, row in found.items() if known.get(key, row.version) != row.version}
        lost = [found[key] for key, version in differing.items() if self._doubted.get(key) == version]
        spans = {row: [] if rows.is_loading(row) else rows.whole(row, telling.REVISION) for row in lost}
        self._publish(
            Change(row.symbol_id, row.interval, "", row.version, span) for row, told in spans.items() for span in told
        )
        self._moved |= {row.symbol_id for row in lost if row.interval == DAY.name}
        told = {(row.symbol_id, row.interval): row.version for row in lost}
        _remember(new | told)
        for key in found.keys() - differing.keys() | told.keys():
            self._moves.pop(key, None)
        self._doubted = {key: version for key, version in differing.items() if key not in told}

    def ask(self) -> None:
        """Have the indicators of the symbols computed whose days have moved."""
        if tickers := list(
            Symbol.objects.filter(pk__in=self._moved).order_by("ticker").values_list("ticker", flat=True)
        ):
            for name in ("analysis.indicators", "analysis.signals"):
                jobs.submit(name, {"symbols": tickers})
        self._moved.clear()

    def _follow(self, changes: Iterable[Change]) -> None:
        """Go on along the moves that were told, whatever the order in which they came."""
        known, moved = _known(), {}
        for change in changes:
            key = change.symbol, change.interval
            if known.setdefault(key, change.before) == change.after:  # told for another reason too
                continue
            self._moves[key][change.before] = change.after
            while (after := self._moves[key].pop(known[key], None)) is not None:
                known[key] = moved[key] = after
            if not self._moves[key]:
                del self._moves[key]
        _remember(moved)

    def _publish(self, changes: Iterable[Change]) -> None:
        """Tell those that say something else of what was held: of one symbol, interval and reason together."""
        together: dict[tuple[int, str, str], Change] = {}
        spoken = [change for change in changes if change.span]
        here = passes.found() if spoken else None
        for change in (_until(here and here.session, change) for change in spoken):
            if change is not None:
                place = change.symbol, change.interval, change.span.reason
                together[place] = _joined(together.pop(place, change), change)
        if not together:
            return
        if any(reason == telling.RENAMED for *_, reason in together):
            for old, new in symbols.former().items():  # first the streams go on by the new name
                with self._loop.one(f"{old}, which is {new} now"):
                    renaming.follow(old, new)
        tickers = dict(Symbol.objects.filter(pk__in={key for key, *_ in together}).values_list("pk", "ticker"))
        for change in together.values():
            if ticker := tickers.get(change.symbol):
                for made in _made(change):
                    with self._loop.one(change):
                        self._tell(_messages(ticker, made))

    def _tell(self, told: list[Message]) -> None:
        """A stream that led elsewhere from here begins anew: the ticker is another symbol's now."""
        try:
            streams.publish(told, lease=self._lease)
        except streams.Renamed as moved:
            streams.renew([moved.stream])
            streams.publish(told, lease=self._lease)


def _until(session: date | None, change: Change) -> Change | None:
    """A change as whoever reads up to the market's clock knows it, in span and version; None where it is all to come.

    session: the one that runs; None of a live source.
    """
    if session is None:
        return change
    if change.span.first >= session:
        return None
    span = replace(change.span, last=min(change.span.last, session - timedelta(days=1)))
    return replace(change, after=coverage.cut(change.after, session), span=span)


def _made(change: Change) -> list[Change]:
    """The change, and the same of the intervals whose bars are made of those: from the one on that its first is in."""
    found = [change]
    for each in intervals.ALL.values():
        if each.made_from == change.interval:
            first = each.dated(change.span.first) if each.is_whole else change.span.first
            found.append(replace(change, interval=each.name, span=replace(change.span, first=first)))
    return found


def _messages(ticker: str, change: Change) -> list[Message]:
    """What is told of a change; a bar within a session that was told as it closed, again as it is final. Days are told
    so by their quotes.
    """
    span, told = change.span, [messages.correction(ticker, change)]
    if span.reason != telling.SETTLED or intervals.named(change.interval).is_whole:
        return told
    found = bars.history(ticker, interval=change.interval, start=span.first, end=span.last, limit=MOST_SETTLED)
    return told + [messages.settled(bar, change.after) for bar in found if bar.state == FINAL]


def _joined(first: Change, second: Change) -> Change:
    span = Span(min(first.span.first, second.span.first), max(first.span.last, second.span.last), second.span.reason)
    return Change(second.symbol, second.interval, first.before, second.after, span)


def _known() -> dict[Key, str]:
    """The version of each symbol and interval up to which all was told."""
    found = {}
    for field, text in redis.client().hgetall(_key()).items():
        key, version = _read(field), _FORMAT.unpack(text)
        if key is not None and version is not None:
            found[key] = version
    return found


def _read(field: bytes) -> Key | None:
    """Of which symbol and interval a version is; None of one that this version does not understand."""
    try:
        interval, symbol = field.decode().split(" ")
        return int(symbol), interval
    except ValueError as error:
        formats.refused("field of the versions that were told", str(error))
        return None


def _remember(versions: dict[Key, str]) -> None:
    if versions:
        packed = {f"{interval} {symbol}": _FORMAT.pack(version) for (symbol, interval), version in versions.items()}
        redis.client().hset(_key(), mapping=packed)


def _key() -> str:
    return _FORMAT.key("corrections", "told")
