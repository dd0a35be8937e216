"""Signals as rows: filled from the history that is held, compared with it whenever its bars have moved, and as the feed
saw them live.

Whatever was done before is done again without harm, by several workers at once too: the key of a row decides.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from analysis.models import Signal, SignalSpan, UntoldSignal
from analysis.seen import comparing, fired
from analysis.seen.comparing import PROVISIONAL, Change, Key
from analysis.seen.fired import Fired, Values
from analysis.signals.catalogue import RULES
from analysis.summary import ADJUSTMENT
from market import bars, coverage
from market.clock import passes
from market.intervals import DAY
from market.models import DataSource, Symbol
from market.prices import FINAL
from market.symbols import named, resolve
from monitoring import jobs, turns

logger = logging.getLogger(__name__)

INTERVAL = DAY.name
AT_ONCE = 500  # rows that are written in one turn
CHUNK = 20  # symbols of one job
TOLD_BARS = 5  # signals on older bars that are found only now are news to nobody
TOLD = 500  # differences that a job tells of
_CHANGED = ("state", "holds", "price", "values", "live", "changed_at", "received_at", "version")


class Moving(RuntimeError):
    """Others wrote the bars while they were read."""

    code = "bars_moving"
    temporary = True


@dataclass(frozen=True, slots=True)
class Seen:
    """A rule that fired live. state: of its bar. price: as traded."""

    ticker: str
    rule: str
    opened_at: datetime
    session_date: date
    state: str
    price: float
    values: Values
    source: str
    received_at: datetime
    version: str

    @property
    def key(self) -> tuple[str, datetime, str]:
        return self.ticker, self.opened_at, self.rule


def refresh(symbols: list[str] | None) -> dict:
    """Bring the signals of every symbol whose bars have moved up to them: of many, in chunks by jobs side by side.

    Returns `done`, and `failed` with the reason of each, or `chunks`. Raises NothingDone where all of them failed.
    """
    stale = _stale(named(symbols))
    if len(stale) <= CHUNK:
        return compute(stale)
    with jobs.current().commit() as end:
        calls = [{"symbols": chunk} for chunk in jobs.chunks(stale, CHUNK)]
        asked = jobs.submit_many("analysis.signals_chunk", calls)
        end.result = {"symbols": len(stale), "chunks": [str(each.pk) for each in asked]}
    return end.result


def compute(tickers: Sequence[str]) -> dict:
    """The same of these, here; those that are up to their bars are left as they are."""
    outcome = jobs.fan_out(_stale(list(tickers)), store, parallel=1)
    outcome.require_any()
    with jobs.current().commit() as end:
        end.result = outcome.as_json()
        end.note(Signal, sum(outcome.done.values()))
    return end.result


def review(symbols: list[str] | None) -> dict:
    """Compute the last settled session's signals again from the history, and tell what live had otherwise."""
    outcome = jobs.fan_out(named(symbols), _reviewed, parallel=1)
    outcome.require_any()
    told = [each for found in outcome.done.values() for each in found[1]]
    checked = sum(found[0] for found in outcome.done.values())
    if told:
        logger.info("%d of %d signals were otherwise live", len(told), checked)
    with jobs.current().commit() as end:
        end.result = {"symbols": len(outcome.done), "signals": checked, "otherwise": len(told), "told": told[:TOLD]}
        end.result |= {"failed": outcome.failed}
    return end.result


def retain(days: int) -> dict:
    """Delete what is kept no longer."""
    deleted = forget_before(first_day(days)) + forget_passes()
    with jobs.current().commit() as end:
        end.result = {"deleted": deleted}
    return end.result


def store(ticker: str, *, is_whole: bool = False) -> int:
    """Of one symbol; returns how many rows are new or have another state. is_whole: every row is compared, also where
    what fired on former bars is as it was. Raises Moving.
    """
    number = DataSource.objects.pass_number()  # before the bars
    symbol = resolve(ticker)
    series = bars.series(symbol.ticker, interval=INTERVAL, adjusted=ADJUSTMENT)
    columns = series.columns
    if not len(columns["session_date"]):
        return 0
    if series.versions is None:
        raise Moving(f"others wrote the bars of {symbol.ticker} each time that they were read")
    found = fired.over(symbol.ticker, columns)
    span = SignalSpan.objects.filter(symbol=symbol, interval=INTERVAL, pass_number=number).first()
    since = _since(span, found, columns) if not is_whole else None
    written, settled = _write(symbol, number, series.version, columns, found, span, since)
    _keep_span(symbol, number, series.version, columns, found, settled)
    return written


def keep(seen: Sequence[Seen], number: int | None) -> int:
    """Write what fired live, where it has no row yet. number: of the pass that it happens in; None: of the one that
    runs. Returns how many are new. Raises passes.Overtaken where another one runs by now.
    """
    return turns.again(lambda: _keep(seen, number)) if seen else 0


def untold(limit: int = AT_ONCE) -> list[UntoldSignal]:
    """What is to be told on the streams, in the order of its coming."""
    rows = UntoldSignal.objects.select_related("signal__symbol").order_by("pk")
    return list(rows[:limit])


def runs(row: UntoldSignal, number: int | None) -> bool:
    """Whether it is of the pass that runs; of one that has ended nothing is told. number: None: that is not asked."""
    return number is None or row.signal.pass_number == number


def mark_told(rows: Iterable[UntoldSignal]) -> None:
    UntoldSignal.objects.filter(pk__in=[row.pk for row in rows]).delete()


def forget_before(day: date) -> int:
    """Delete the signals of sessions before a day, a few at a time. Returns how many."""
    opened = datetime(day.year, day.month, day.day, tzinfo=UTC)
    rows = Signal.objects.filter(pass_number__lte=DataSource.objects.pass_number(), opened_at__lt=opened)
    return turns.delete(rows, AT_ONCE, tell=_look)


def forget_passes() -> int:
    """Delete those of passes of a recording that are kept no longer. Returns how many."""
    last = DataSource.objects.pass_number() - passes.KEPT
    old = SignalSpan.objects.filter(pass_number__lte=last)
    return turns.delete(Signal.objects.filter(pass_number__lte=last), AT_ONCE, tell=_look) + turns.delete(old, AT_ONCE)


def first_day(days: int) -> date:
    """The first session whose signals are kept, by the market's clock."""
    session = DataSource.objects.values_list("session", flat=True).first()
    return (session or datetime.now(UTC).date()) - timedelta(days=days)


def _look(_deleted: int) -> None:
    jobs.current().checkpoint()


def _stale(tickers: list[str]) -> list[str]:
    """Those whose signals are of another version than their bars, or of other rules."""
    versions = coverage.latest(tickers)
    spans = SignalSpan.objects.running().filter(symbol__ticker__in=tickers, interval=INTERVAL, rules=fired.edition())
    known = dict(spans.values_list("symbol__ticker", "version"))
    return [each for each, version in versions.items() if version != coverage.NONE and known.get(each) != version]


def _since(span: SignalSpan | None, found: Fired, columns: Mapping[str, np.ndarray]) -> int | None:
    """The place of the first bar that was not counted yet; None where what fired before it is not as it was."""
    if span is None or span.rules != fired.edition():
        return None
    counted = int(np.searchsorted(columns["session_date"], np.datetime64(span.session_date), side="right"))
    return counted if _digest(found, columns, counted) == span.digest else None


def _digest(found: Fired, columns: Mapping[str, np.ndarray], until: int) -> str:
    told = blake2b(digest_size=16)
    for rule, places in found.bars.items():
        some = places[: np.searchsorted(places, until)]
        told.update(rule.encode())
        for column in ("opened_at", "close"):
            told.update(np.ascontiguousarray(columns[column][some]).tobytes())
    return told.hexdigest()


def _write(
    symbol: Symbol,
    number: int,
    version: str,
    columns: Mapping[str, np.ndarray],
    found: Fired,
    span: SignalSpan | None,
    since: int | None,
) -> tuple[int, date | None]:
    """Compare the rows of bars from a place on, and all that are provisional, with what fired; None: of all bars.

    Returns how many were written, and the last session that is settled.
    """
    openings = [at.replace(tzinfo=UTC) for at in columns["opened_at"].tolist()]
    first = int(np.searchsorted(columns["session_date"], np.datetime64(first_day(settings.SIGNAL_DAYS))))
    first = first if since is None else max(first, since)
    counted = _counted(span, columns)
    rows = Signal.objects.filter(symbol=symbol, interval=INTERVAL, pass_number=number)
    if first < len(openings) or since is None:
        wanted = Q(opened_at__gte=openings[min(first, len(openings) - 1)]) | Q(state=PROVISIONAL)
    else:
        wanted = Q(state=PROVISIONAL)
    kept = {(row.opened_at, row.rule): row for row in rows.filter(wanted)}
    earliest = min([at for at, _ in kept] + openings[first : first + 1], default=openings[-1])
    held = _bars(symbol, earliest)
    if coverage.latest([symbol.ticker])[symbol.ticker] != version:
        raise Moving(f"others wrote the bars of {symbol.ticker} while they were read")
    begin = int(np.searchsorted(columns["opened_at"], np.datetime64(earliest.replace(tzinfo=None))))
    fires: dict[Key, int] = {
        (openings[place], rule): place
        for rule, places in found.bars.items()
        for place in places[np.searchsorted(places, begin) :].tolist()
    }
    changed = comparing.changes(
        kept.values(), fires, held, last=openings[-1], left_out={*found.failed} | {rule for _, rule in kept} - {*RULES}
    )
    facts = {"symbol": symbol, "interval": INTERVAL, "pass_number": number, "version": version}
    new = [
        _new(rule, place, at, held[at], found, columns, was_counted=place < counted) | facts
        for (at, rule), place in fires.items()
        if place >= first and (at, rule) not in kept and at in held
    ]
    told_from = openings[max(0, len(openings) - TOLD_BARS)] if span is not None else None
    new.sort(key=lambda row: (row["opened_at"], row["rule"]))
    for some in jobs.chunks(new, AT_ONCE):
        turns.again(lambda some=some: _insert([Signal(**row) for row in some], number, told_from))
    for some in jobs.chunks(changed, AT_ONCE):
        turns.again(lambda some=some: _update(some, fires, held, found, version, number))
    dates = dict(zip(openings, columns["session_date"].tolist(), strict=True))
    settled = [dates[at] for at, bar in held.items() if bar.is_final and at in dates]
    return len(new) + len(changed), max(settled, default=span and span.settled)


def _counted(span: SignalSpan | None, columns: Mapping[str, np.ndarray]) -> int:
    """How many bars were counted before, by the same rules, when they were settled."""
    if span is None or span.rules != fired.edition() or span.settled is None:
        return 0
    return int(np.searchsorted(columns["session_date"], np.datetime64(span.settled), side="right"))


def _bars(symbol: Symbol, since: datetime) -> dict[datetime, comparing.Bar]:
    found = bars.history(symbol.ticker, interval=INTERVAL, start=since, adjusted="raw")
    return {
        bar.opened_at: comparing.Bar(bar.close, bar.is_final, bar.source, bar.received_at)
        for bar in found
        if bar.has_closed
    }


def _new(
    rule: str,
    place: int,
    at: datetime,
    bar: comparing.Bar,
    found: Fired,
    columns: Mapping[str, np.ndarray],
    *,
    was_counted: bool,
) -> dict:
    now = datetime.now(UTC)
    return {
        "rule": rule,
        "direction": RULES[rule].direction,
        "opened_at": at,
        "session_date": columns["session_date"][place].item(),
        "state": comparing.state_of_new(bar, was_counted=was_counted),
        "price": bar.price,
        "values": found.read(rule, place),
        "seen_by": Signal.SeenBy.HISTORY,
        "seen_at": now,
        "changed_at": now,
        "source": bar.source,
        "received_at": bar.received_at,
    }


def _insert(rows: list[Signal], number: int, told_from: datetime | None) -> None:
    """told_from: what fired on bars from this opening on is told, and what is revised; None: nothing is."""
    passes.require(number)
    _create(rows)
    if told_from is not None:
        _owe([row for row in rows if row.opened_at >= told_from or row.state == comparing.REVISED])


def _update(
    changed: Sequence[tuple[Signal, Change]],
    fires: Mapping[Key, int],
    held: Mapping[datetime, comparing.Bar],
    found: Fired,
    version: str,
    number: int,
) -> None:
    passes.require(number)
    now = datetime.now(UTC)
    for row, change in changed:
        bar, place = held.get(row.opened_at), fires.get((row.opened_at, row.rule))
        values = row.values if place is None else found.read(row.rule, place)
        if row.seen_by == Signal.SeenBy.LIVE and row.live is None and (change.is_otherwise or not change.holds):
            row.live = {"price": row.price, "values": row.values}
        row.state, row.holds, row.values, row.changed_at, row.version = change.state, change.holds, values, now, version
        if bar is not None:
            row.price, row.received_at = bar.price, bar.received_at
    Signal.objects.bulk_update([row for row, _ in changed], _CHANGED)
    UntoldSignal.objects.bulk_create([UntoldSignal(signal=row) for row, _ in changed])


def _create(rows: Sequence[Signal]) -> None:
    Signal.objects.bulk_create(rows, ignore_conflicts=True)


def _owe(rows: Sequence[Signal]) -> None:
    """Have these told: their keys are known once they are written, by whomever."""
    if not rows:
        return
    wanted = {(row.symbol_id, row.opened_at, row.rule) for row in rows}
    found = Signal.objects.filter(
        symbol_id__in={row.symbol_id for row in rows},
        pass_number=rows[0].pass_number,
        interval=INTERVAL,
        opened_at__in={row.opened_at for row in rows},
    ).values_list("pk", "symbol_id", "opened_at", "rule")
    keys = [pk for pk, *key in found.order_by("opened_at", "pk") if tuple(key) in wanted]
    UntoldSignal.objects.bulk_create([UntoldSignal(signal_id=pk) for pk in keys])


def _keep_span(
    symbol: Symbol,
    number: int,
    version: str,
    columns: Mapping[str, np.ndarray],
    found: Fired,
    settled: date | None,
) -> None:
    dates = columns["session_date"]
    row = SignalSpan(
        symbol=symbol,
        interval=INTERVAL,
        pass_number=number,
        since=dates[0].item(),
        session_date=dates[-1].item(),
        settled=settled,
        version=version,
        rules=fired.edition(),
        digest=_digest(found, columns, len(dates)),
        computed_at=datetime.now(UTC),
    )
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["symbol", "pass_number", "interval"]
    facts = ["since", "session_date", "settled", "version", "rules", "digest", "computed_at"]
    with transaction.atomic():
        passes.require(number)
        SignalSpan.objects.bulk_create([row], update_conflicts=True, update_fields=facts, unique_fields=unique)


def _keep(seen: Sequence[Seen], number: int | None) -> int:
    if number is not None:
        passes.require(number)
    else:
        number = DataSource.objects.pass_number()
    symbols = Symbol.objects.in_bulk({each.ticker for each in seen}, field_name="ticker")
    known = set(
        Signal.objects.filter(
            symbol__ticker__in=list(symbols),
            pass_number=number,
            interval=INTERVAL,
            opened_at__in={each.opened_at for each in seen},
        ).values_list("symbol__ticker", "opened_at", "rule")
    )
    new = {each.key: each for each in seen if each.key not in known and each.ticker in symbols}
    now = datetime.now(UTC)
    rows = [_live(each, symbols[each.ticker], number, now) for each in new.values()]
    _create(rows)
    _owe(rows)
    return len(rows)


def _live(each: Seen, symbol: Symbol, number: int, now: datetime) -> Signal:
    return Signal(
        symbol=symbol,
        interval=INTERVAL,
        pass_number=number,
        rule=each.rule,
        direction=RULES[each.rule].direction,
        opened_at=each.opened_at,
        session_date=each.session_date,
        state=comparing.CONFIRMED if each.state == FINAL else PROVISIONAL,
        price=each.price,
        values=each.values,
        seen_by=Signal.SeenBy.LIVE,
        seen_at=now,
        changed_at=now,
        source=each.source,
        received_at=each.received_at,
        version=each.version,
    )


def _reviewed(ticker: str) -> tuple[int, list[dict]]:
    """How many signals the last settled session has, and those that live had otherwise."""
    store(ticker, is_whole=True)
    symbol = resolve(ticker)
    rows = Signal.objects.running().filter(symbol=symbol, interval=INTERVAL).exclude(state=PROVISIONAL)
    last = rows.order_by("-opened_at").values_list("opened_at", flat=True).first()
    found = list(rows.filter(opened_at=last).order_by("rule")) if last else []
    return len(found), [told for row in found if (told := _otherwise(ticker, row))]


def _otherwise(ticker: str, row: Signal) -> dict | None:
    about = {"symbol": ticker, "rule": row.rule, "session_date": str(row.session_date), "state": row.state}
    if row.seen_by == Signal.SeenBy.HISTORY:
        return about | {"live": "not_seen"} if row.holds else None
    if not row.holds:
        return about | {"live": "fired"}
    return about | {"live": "other_values", **row.live} if row.live else None
