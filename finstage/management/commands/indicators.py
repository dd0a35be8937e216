"""`manage.py indicators AAPL rsi_14 sma_100 --interval 1h`: what a symbol's indicators are at its last bars."""

import json as notation

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError

from analysis import periods
from analysis.conformance import measuring
from analysis.indicators import frames
from analysis.indicators.catalogue import UnknownIndicator
from market import intervals, symbols
from market.actions.adjustments import ADJUSTMENTS
from market.intervals import DAY
from market.symbols import UnknownSymbol


class Command(BaseCommand):
    help = (
        "Tell a symbol's indicators at its last bars, computed over all that is held. Exit status: 0 they are told; "
        "1 there is no such symbol, or nothing could be read; 2 the command line, or an indicator's name, is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol", nargs="?", help="a ticker")
        parser.add_argument("names", nargs="*", help="rsi_14, sma_100, supertrend; none: the default set")
        parser.add_argument("--interval", choices=list(intervals.ALL), default=DAY.name)
        parser.add_argument("--period", choices=periods.PERIODS, default="5d", help="counted back from the last bar")
        parser.add_argument("--adjusted", choices=ADJUSTMENTS, default="split")
        parser.add_argument("--json", action="store_true", help="the whole answer as one object")
        parser.add_argument(
            "--certify", action="store_true", help="measure every indicator anew and keep it (a minute)"
        )

    def handle(
        self, *, symbol: str | None, names: list[str], interval: str, period: str, adjusted: str, json: bool,
        certify: bool, **options,
    ) -> None:  # fmt: skip
        if certify and symbol is None:
            measuring.write()
            return
        if certify:
            raise CommandError("--certify is of every indicator, over recorded bars: name no symbol.", returncode=2)
        if symbol is None:
            raise CommandError("Say which symbol: manage.py indicators AAPL rsi_14", returncode=2)
        try:
            told = self._read(symbol, names, interval, period, adjusted)
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}.") from error
        self.stdout.write(notation.dumps(told, cls=DjangoJSONEncoder, allow_nan=False) if json else _table(told))

    def _read(self, symbol: str, names: list[str], interval: str, period: str, adjusted: str) -> dict:
        try:
            ticker = symbols.resolve(symbol).ticker
            return frames.indicators(ticker, period, interval, names or ("all",), adjusted)
        except UnknownSymbol as error:
            raise CommandError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
        except UnknownIndicator as error:
            raise CommandError(f"There is {error}.", returncode=2) from error


def _table(told: dict) -> str:
    """A line an output: its value at the last bar, and why it has none."""
    if not told["times"]:
        return f"{told['symbol']} {told['interval']}: no bars are held."
    lines = [f"{told['symbol']} {told['interval']} as of {told['as_of']:%Y-%m-%d %H:%M} UTC, from {told['source']}"]
    for key, each in told["indicators"].items():
        for output, value in each["latest"].items():
            name = key if output == each["name"] else f"{key} {output}"
            why = told["reasons"].get(key, "too few bars")
            lines.append(f"  {name:<32} {f'{value:.6g}' if value is not None else why}")
    return "\n".join(lines)
