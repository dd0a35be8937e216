"""`manage.py screen 'rsi_14<30 and close>sma_200'`: which symbols a condition holds for."""

import json as notation
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError

from analysis import screener
from analysis.conditions.reading import Invalid
from analysis.conditions.texts import Misspelt
from analysis.screener import Screened
from market import intervals, symbols
from market.intervals import DAY
from market.symbols import UnknownSymbol


class Command(BaseCommand):
    help = (
        "Tell which tracked symbols a condition holds for, by their last bars that have closed. "
        "'rsi_14 < 30 and close > sma_200', 'golden_cross', 'close > sma_50@1wk', 'close rises_by 5% within 3'. "
        "Exit status: 0 it is told; 1 nothing could be read; 2 the condition or the command line is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("condition", help="as people write it; an error points at its place")
        parser.add_argument("--symbols", nargs="+", metavar="SYMBOL", help="only these; none: all that are tracked")
        parser.add_argument("--interval", choices=list(intervals.ALL), default=DAY.name)
        parser.add_argument("--json", action="store_true", help="the whole answer as one object")

    def handle(self, *, condition: str, interval: str, json: bool, symbols: list[str] | None = None, **options) -> None:
        try:
            asked = screener.read_text(condition, interval=interval)
            found = screener.screen(asked, _tickers(symbols))
        except (Misspelt, Invalid, UnknownSymbol) as error:
            raise CommandError(f"{str(error)[0].upper()}{str(error)[1:]}", returncode=2) from error
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}.") from error
        if json:
            told = {"where": asked.node.as_json(), **asdict(found)}
            self.stdout.write(notation.dumps(told, cls=DjangoJSONEncoder, allow_nan=False))
        else:
            self.stdout.write(_table(found))


def _tickers(texts: list[str] | None) -> list[str] | None:
    """Raises UnknownSymbol."""
    return None if texts is None else [symbols.resolve(text).ticker for text in texts]


def _table(found: Screened) -> str:
    """A line a symbol, and how many it does not hold for, or nobody knows."""
    lines = [
        "  ".join([f"{row['symbol']:<12}", f"{row['session_date']}", *_values(row["values"])]) for row in found.rows
    ]
    rest = found.asked - len(found.rows) - len(found.unknown)
    lines.append(f"It holds for {len(found.rows)} of {found.asked}, not for {rest}, and {len(found.unknown)} unknown.")
    return "\n".join([*lines, *(f"  {ticker:<12}{why}" for ticker, why in found.unknown.items())])


def _values(values: dict[str, float | None]) -> list[str]:
    return [f"{name} {'-' if value is None else f'{value:.6g}'}" for name, value in values.items()]
