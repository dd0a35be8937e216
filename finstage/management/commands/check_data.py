"""`manage.py check_data`: whether what we say of the bars that we hold is what the bars say."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from market.coverage import held
from market.history import gaps


class Command(BaseCommand):
    help = "Count the bars of every symbol and interval, and say where their coverage differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mend", action="store_true", help="have the coverage say what the bars do")

    def handle(self, *, mend: bool, **options) -> None:
        found = [*held.differences(), *gaps.differences()]
        for difference in found:
            self.stdout.write(str(difference))
        if mend:
            held.mend(found)
            gaps.count_all()
        elif found:
            raise CommandError(f"{len(found)} facts are not what the bars say; --mend has them say it.")
        rows, bars = held.total()
        self.stdout.write(f"Coverage says what the bars do (bars checked: {bars}; symbols by interval: {rows}).")
