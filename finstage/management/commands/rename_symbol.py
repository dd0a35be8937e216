"""`manage.py rename_symbol FB META`: another ticker for a symbol, whose history, rules and streams go on."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from redis.exceptions import RedisError

from market import symbols
from realtime import renaming


class Command(BaseCommand):
    help = "Give a symbol another ticker; the old one leads to it. Safe to run again, and beside all that runs."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol", help="what it is called now")
        parser.add_argument("to", help="its new ticker")
        parser.add_argument("--name", default="", help="its new name, where that changes too")
        parser.add_argument("--local-name", default="", help="its new name at home")

    def handle(self, *, symbol: str, to: str, name: str, local_name: str, **options) -> None:
        try:
            done = renaming.rename(symbol, to, name=name, local_name=local_name)
        except (symbols.UnknownSymbol, symbols.InvalidTicker, symbols.NameTaken, symbols.NameTooLong) as error:
            raise CommandError(f"Nothing was renamed: {error}.") from error
        except RedisError as error:  # which comes last: the rows have changed
            said = f"{symbols.folded(symbol)} is {symbols.folded(to)} now; what Redis holds is not moved yet ({error})"
            raise CommandError(f"{said}. A feed does that as soon as Redis answers, or run it again.") from error
        except DatabaseError as error:
            raise CommandError(f"It was not renamed to the end ({error}). Run it again.") from error
        self.stdout.write(f"{done.old} is {done.new} now: {done.symbol.name}.")
