"""`manage.py stream AAPL MSFT`: what a running server tells, line by line, for as long as it is watched."""

import json
import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clients.python.finstage_client import Ended, Refused, Stream
from market import intervals
from realtime import messages

QUIET = {"connected", "service_status", "subscribed", "error"}  # of the connection, and not what was asked for


class Command(BaseCommand):
    help = "Show live messages of a running server; it goes on by itself after every break. Ctrl-C ends it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbols", nargs="*", help="tickers; none: all, where the type allows it")
        parser.add_argument("--type", default="prices", choices=messages.TYPES)
        parser.add_argument("--interval", choices=tuple(intervals.ALL), help="of bars, indicators and signals")
        parser.add_argument("--json", action="store_true", help="whole messages, one a line, the connection's too")
        parser.add_argument("--url", default=f"http://{_host()}:{settings.PORT}", help="where the server is")
        parser.add_argument("--key", default=os.environ.get("FINSTAGE_KEY"), help="an API key; else FINSTAGE_KEY")

    def handle(
        self, *, symbols: list[str], type: str, interval: str | None, json: bool, url: str, key: str | None, **options
    ) -> None:
        try:
            stream = Stream(url, type, symbols, key=key, interval=interval)
        except ValueError as error:
            raise CommandError(str(error)) from error
        shown = Shown()
        try:
            for message in stream:
                self._warn(message)
                for line in [_whole(message)] if json else shown.lines(message):
                    self.stdout.write(line)
                self.stdout.flush()
        except Ended as error:
            raise CommandError(f"The server ended it: {error}.") from error
        except Refused as error:
            raise CommandError(f"Nothing to show, {error.code}: {error}") from error
        except (KeyboardInterrupt, BrokenPipeError):
            return

    def _warn(self, message: dict[str, Any]) -> None:
        """What is not as it was asked for is said aside; the rest goes on."""
        if message["type"] == "error":
            self.stderr.write(f"{message['code']}: {message['message']}")
        elif message["type"] == "subscribed" and message.get("published") is False:
            self.stderr.write(f"Nobody publishes {', '.join(message['streams'])} yet; waiting for it.")


class Shown:
    """The lines of what is told; of an answer the newest of each stream, unless it was shown before."""

    def __init__(self) -> None:
        self._newest: dict[str | None, str] = {}

    def lines(self, message: dict[str, Any]) -> Iterator[str]:
        for told in message.get("snapshot", [message]):
            of, line = told.get("stream") or told.get("symbol"), worded(told)
            if told["type"] not in QUIET and (told is message or self._newest.get(of) != line):
                self._newest[of] = line
                yield line


def worded(message: dict[str, Any]) -> str:
    """A message in a line: when, of what, and what it says."""
    told = {name: value for name, value in message.items() if name in SHOWN and value is not None}
    at = message.get("timestamp") or message.get("as_of") or ""
    of = message.get("stream") or message.get("symbol") or ""
    return "  ".join([f"{at:<24}", f"{message['type']:<13}", f"{of:<20}", _facts(told)]).rstrip()


def _facts(told: dict[str, Any]) -> str:
    return "  ".join(f"{name}={_whole(value)}" for name, value in told.items())


def _whole(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _host() -> str:
    """Where a server that listens everywhere is met from here."""
    return "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else settings.HOST


SHOWN = (
    "current_price", "change", "change_percent", "volume", "open", "high", "low", "close", "state", "values", "kind",
    "severity", "message", "code", "from", "to", "reason", "rest", "retry_after", "streams", "title", "jobs", "metrics",
)  # fmt: skip
