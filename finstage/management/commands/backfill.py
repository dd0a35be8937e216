"""`manage.py backfill AAPL MSFT`: the whole history of symbols, by jobs, with how far they are."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from finstage import following
from market.history import wanted
from market.intervals import STORED_WITHIN


class Command(BaseCommand):
    help = (
        "Load the history of symbols that lack it: since 2000, or as --since says. Safe to run again, at once and "
        f"beside all that runs: what is held is not asked for again. {following.STATUSES}"
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbols", nargs="*", help="tickers; none: all that are tracked")
        parser.add_argument("--since", default="", help="the first day, such as 2010-01-04, or all: all there is")
        following.add_interval(parser)
        following.add_arguments(parser)

    def handle(self, *, symbols: list[str], since: str, interval: str, json: bool, no_wait: bool, **options) -> None:
        screen = following.Screen(self.stdout, self.stderr, is_json=json)
        if interval in STORED_WITHIN:
            if since:
                raise CommandError(
                    f"Of {interval} all is loaded that the source tells; leave --since out.", returncode=2
                )
            arguments = {"symbols": symbols or None, "interval": interval}
            return following.run(screen, "market.intraday", arguments, is_waited_for=not no_wait)
        try:
            wanted.start(since)
        except wanted.InvalidStart as error:
            raise CommandError(error.detail, returncode=2) from error
        arguments = {"symbols": symbols or None, "since": since}
        following.run(screen, "market.backfill", arguments, is_waited_for=not no_wait)
