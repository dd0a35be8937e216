"""A symbol gets another ticker: its row, and all that is kept or told by the ticker, in this one place.

What hangs on the symbol's key does not move: bars, actions, snapshots, records, rules and alerts. First the rows, all
or nothing; then jobs, Redis and the streams, each step safe to run again: the feed does so for each former ticker that
it learns of, so that a crash in between leaves nothing behind.
"""

import logging

from django.db import transaction

from analysis import summary
from market import quotes, symbols
from market.bars import forming
from market.quotes import doubts, extended
from market.symbols import Renaming
from monitoring import fields
from monitoring.fields import Field
from monitoring.jobs import current, subjects
from realtime import alerts, events, kinds, streams, wanted

logger = logging.getLogger(__name__)


def rename(text: str, to: str, *, name: str = "", local_name: str = "") -> Renaming:
    """Give a symbol another ticker, and other names where they are said. Safe to run again.

    Raises symbols.UnknownSymbol, symbols.InvalidTicker, symbols.NameTaken, symbols.NameTooLong.
    """
    with transaction.atomic():
        done = symbols.rename(text, to, name=name, local_name=local_name)
        alerts.rename(done.symbol, done.old, done.new)
    logger.info("%s is %s now", done.old, done.new)
    if done.old != done.new:
        subjects.rename(done.old, done.new)
        follow(done.old, done.new)
    return done


def renamed(symbol: str, to: str, name: str = "", local_name: str = "") -> dict:
    """`rename`, as a job that says what became of it."""
    done = rename(symbol, to, name=name, local_name=local_name)
    with current().commit() as end:
        end.result = {"symbol": done.new, "was": done.old, "name": done.symbol.name}
    return end.result


def follow(old: str, new: str) -> None:
    """Move what Redis keeps and tells by the ticker. Safe to run again."""
    kept = zip(_kept_by(old), _kept_by(new), strict=True)
    fields.move(kept, f'"ticker":"{old}"', f'"ticker":"{new}"')
    pairs = [*zip(kinds.of_symbols([old]), kinds.of_symbols([new]), strict=True), *_wanted(old, new)]
    streams.rename(pairs, old, new)
    events.rename(pairs, old, new)


def _wanted(old: str, new: str) -> list[tuple[str, str]]:
    """The streams of the symbol that are there while somebody holds them."""
    return [(name, kinds.renamed(name, new)) for name in wanted.names() if kinds.address(name).ticker == old]


def _kept_by(ticker: str) -> list[Field]:
    told = quotes.field(ticker), extended.field(ticker), doubts.field(ticker), *forming.fields_of(ticker)
    return [*told, summary.field(ticker), alerts.seen_field(ticker)]
