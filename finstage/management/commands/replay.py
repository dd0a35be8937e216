"""`manage.py replay AAPL MSFT --from 2008-09-01 --to 2008-10-31`: past sessions as a client would have heard them."""

import json
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from finstage.management.commands.stream import worded
from market import player, sources, symbols
from market.bars import NoBars, forming
from market.intervals import Interval
from market.player import Backwards, Clock, Sessions
from realtime.replay import signals
from realtime.replay.body import Body
from realtime.replay.digest import Digest


class Command(BaseCommand):
    help = (
        "Play what is held of past sessions, a message a line, and at the end their number and a hash: the same "
        "sessions have the same at any speed, in any process. It changes nothing. Ctrl-C ends it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbols", nargs="+", help="tickers")
        parser.add_argument("--from", required=True, type=_date, dest="start", help="the first day: 2008-09-01")
        parser.add_argument("--to", required=True, type=_date, dest="end", help="the last day")
        parser.add_argument(
            "--speed", type=_speed, help="how many seconds of a session in one; without it, as fast as it goes"
        )
        parser.add_argument(
            "--interval",
            action="append",
            default=[],
            choices=[each.name for each in forming.INTERVALS],
            dest="intervals",
            help="of which bars within sessions are told too, where they can be made; as often as wanted",
        )
        parser.add_argument("--json", action="store_true", help="whole messages, one a line")

    def handle(
        self,
        *,
        symbols: list[str],
        start: date,
        end: date,
        speed: float | None,
        json: bool,
        intervals: list[str],
        **_: object,
    ) -> None:
        within = [each for each in forming.INTERVALS if each.name in intervals]
        try:
            sessions = self._read(symbols, start, end)
            days = [held.ticker for held in sessions.held if not held.has_within]
            if within and days:
                self.stderr.write(f"no_bars: nothing within sessions of the range is held of {', '.join(days)}.")
            digest = Digest()
            for body in _played(sessions, within, Clock(speed, time.monotonic())):
                digest.add(body)
                self.stdout.write(body.decode() if json else worded(_object(body)))
            self.stdout.write(_line({"hash": digest.hex, "messages": digest.count}))
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}.") from error
        except (KeyboardInterrupt, BrokenPipeError):
            return

    def _read(self, texts: list[str], start: date, end: date) -> Sessions:
        """What can be played; what can't is said aside."""
        tickers = symbols.tickers(texts)
        unknown = [text for text in dict.fromkeys(texts) if text not in tickers]
        if not tickers:
            raise CommandError(f"unknown_symbol: there is no symbol {', '.join(unknown)} here.", returncode=2)
        try:
            reading = player.read(list(dict.fromkeys(tickers.values())), start, end, has_hours=sources.has_hours())
        except (Backwards, NoBars) as error:
            raise CommandError(f"{error.code}: {error}.", returncode=2) from error
        for text in unknown:
            self.stderr.write(f"unknown_symbol: there is no symbol {text} here.")
        for held in reading.lacking.values():
            self.stderr.write(f"no_bars: none from {start} to {end}: {held}.")
        return reading.sessions


def _played(sessions: Sessions, within: Sequence[Interval], clock: Clock) -> Iterator[bytes]:
    body = Body(sessions, datetime.now(UTC), within=within, signals=signals.of(sessions))
    for number in range(len(sessions)):
        for told in body.session(number):
            time.sleep(clock.wait(told.after, time.monotonic()))
            yield from told.bodies


def _object(body: bytes) -> dict:
    return json.loads(body)


def _line(said: dict) -> str:
    return json.dumps(said)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date such as 2008-09-01") from None


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no speed such as 3600")
    return speed
