"""`manage.py refresh AAPL`: the newest bars of symbols, by jobs, with how far they are."""

from django.core.management.base import BaseCommand, CommandParser

from finstage import following
from market.intervals import STORED_WITHIN


class Command(BaseCommand):
    help = (
        "Fetch the newest bars of symbols, with their splits and dividends. With --gaps their history is counted "
        f"against the exchanges' calendars, and what is missing is asked for. {following.STATUSES}"
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbols", nargs="*", help="tickers; none: all that are tracked")
        parser.add_argument("--gaps", action="store_true", help="also sessions that are missing further back")
        following.add_interval(parser)
        following.add_arguments(parser)

    def handle(self, *, symbols: list[str], gaps: bool, interval: str, json: bool, no_wait: bool, **options) -> None:
        screen = following.Screen(self.stdout, self.stderr, is_json=json)
        name, arguments = "market.gaps" if gaps else "market.history", {"symbols": symbols or None}
        if interval in STORED_WITHIN:
            name, arguments = "market.intraday", arguments | {"interval": interval, "fill_holes": gaps}
        following.run(screen, name, arguments, is_waited_for=not no_wait)
