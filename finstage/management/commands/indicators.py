"""`manage.py indicators AAPL rsi_14 sma_100 --interval 1h`: what a symbol's indicators are at its last bars."""

import json as notation

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError

from analysis import periods, wording
from analysis.conformance import measuring
from analysis.indicators import catalogue
from analysis.indicators.catalogue import UnknownIndicator
from analysis.indicators.frames import TooShort
from analysis.technical import comprehensive
from market import bars, intervals, symbols
from market.actions.adjustments import ADJUSTMENTS
from market.api.queries import why_unknown
from market.bars import NoBars
from market.intervals import DAY
from market.models import Symbol
from market.prices import SECOND
from market.symbols import UnknownSymbol
from monitoring import redis

NOTHING, WRONG = 1, 2  # exit statuses


class Command(BaseCommand):
    help = (
        "Tell a symbol's indicators at its last bars, computed over all that is held, and what they say. Exit status: "
        "0 they are told; 1 there is no such symbol, there are no bars or too few, or nothing could be read; 2 the "
        "command line, or an indicator's name, is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol", nargs="?", help="a ticker")
        parser.add_argument("names", nargs="*", help="rsi_14, sma_100, supertrend; none: the default set")
        parser.add_argument("--interval", choices=list(intervals.ALL), default=DAY.name)
        parser.add_argument("--period", choices=periods.PERIODS, default="5d", help="counted back from the last bar")
        parser.add_argument("--adjusted", choices=ADJUSTMENTS, default="split")
        parser.add_argument(
            "--against", default="", help="the symbol that beta, correl and relativestrength are measured against"
        )
        parser.add_argument(
            "--json", action="store_true", help="the whole answer as one object; of what failed, its code and detail"
        )
        parser.add_argument(
            "--certify", action="store_true", help="measure every indicator anew and keep it (a minute)"
        )

    def handle(
        self, *, symbol: str | None, names: list[str], interval: str, period: str, adjusted: str, json: bool,
        certify: bool, against: str, **options,
    ) -> None:  # fmt: skip
        if certify and symbol is None:
            measuring.write()
            return
        if certify:
            raise CommandError("--certify is of every indicator, over recorded bars: name no symbol.", returncode=WRONG)
        if symbol is None:
            raise CommandError("Say which symbol: manage.py indicators AAPL rsi_14", returncode=WRONG)
        try:
            row = symbols.resolve(symbol)
            series = bars.series(row.ticker, interval=interval, adjusted=adjusted)
            told = comprehensive.of(series, period, _compared(_separate(names), against))
        except UnknownSymbol as error:
            asked = [symbol, *catalogue.others(_compared(_separate(names), against))]
            text = next(each for each in asked if each not in symbols.found(asked))
            self._refuse(error.code, why_unknown(text, symbols.near(text)), NOTHING, json, error)
        except UnknownIndicator as error:
            self._refuse("unknown_indicator", f"There is {error}.", WRONG, json, error)
        except (NoBars, TooShort) as error:
            self._refuse(error.code, f"{str(error)[0].upper()}{str(error)[1:]}.", NOTHING, json, error)
        except DatabaseError as error:
            self._refuse("no_database", f"The database did not answer: {error}.", NOTHING, json, error)
        except redis.AWAY as error:
            self._refuse("no_redis", f"Redis did not answer: {error}. Does Finstage run?", NOTHING, json, error)
        else:
            answer = {**told["indicators"], "summary": told["summary"]}
            text = notation.dumps(answer, cls=DjangoJSONEncoder, allow_nan=False)
            self.stdout.write(text if json else _table(row, told))

    def _refuse(self, code: str, detail: str, status: int, is_json: bool, error: Exception) -> None:
        """Raises CommandError; a program finds the same where it looks for the answer."""
        if is_json:
            self.stdout.write(notation.dumps({"code": code, "detail": detail}, ensure_ascii=False))
        raise CommandError(detail, returncode=status) from error


def _separate(names: list[str]) -> list[str]:
    """Also by commas, as the interface takes them."""
    return [part for name in names for part in name.split(",")] or [catalogue.ALL]


def _compared(names: list[str], against: str) -> list[str]:
    """The names with the other symbol. Raises UnknownIndicator where none is measured against it."""
    spelled = [catalogue.spelled(name, symbols.folded(against)) for name in names]
    if against and not catalogue.others(spelled):
        raise UnknownIndicator(
            f"none among them that is measured against {against}, as {', '.join(catalogue.COMPARED)}"
        )
    return spelled


def _table(row: Symbol, told: dict) -> str:
    """A line an output: its value at the last bar, or why it has none; and what the values say."""
    answer = told["indicators"]
    state = "" if answer["is_final"] else ", and not final yet"
    lines = [f"{answer['symbol']} {answer['interval']} as of {_as_of(answer)}, from {answer['source']}{state}"]
    for key, each in answer["indicators"].items():
        for output, value in each["latest"].items():
            name = key if output == each["name"] else f"{key} {output}"
            why = answer["reasons"].get(key, "too few bars")
            lines.append(f"  {name:<32} {_number(value) if value is not None else why}")
    says = [wording.says(each["kind"], each["values"], row.price_decimals) for each in told["summary"]]
    return "\n".join([*lines, *(f"  {sentence}" for sentence in says)])


def _as_of(answer: dict) -> str:
    """Of a day and more its session; else the opening of the bar."""
    if answer["as_of_precision"] == SECOND:
        return f"{answer['as_of']:%Y-%m-%d %H:%M} UTC"
    return str(answer["session_date"])


def _number(value: float) -> str:
    """With the digits that tell it: a cent of a price beyond a thousand, all of a small one."""
    return f"{value:,.4f}" if abs(value) >= 1 else f"{value:.6g}"
