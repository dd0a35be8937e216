"""`manage.py check_data`: whether what we say of the bars that we hold is what the bars say."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from finstage import following
from finstage.following import Progress
from market import symbols
from market.coverage import held
from market.history import gaps
from market.intervals import STORED
from market.models import Symbol

AT_ONCE = 10  # symbols whose bars are counted in one query


class Command(BaseCommand):
    help = (
        "Count the bars of every symbol and interval, and say where their coverage differs, and with --gaps which "
        "sessions of the exchanges' calendars are missing. Exit status: 0 all is as it is said; 1 something differs, "
        "or nothing could be counted; 2 the command line is wrong; 3 nothing differs, and sessions are missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbols", nargs="*", help="tickers; none: all there are")
        parser.add_argument("--mend", action="store_true", help="have the coverage say what the bars do")
        parser.add_argument("--gaps", action="store_true", help="also the sessions that are missing")
        stored = [each.name for each in STORED]
        parser.add_argument("--interval", choices=stored, help="of these bars alone; without it, of all")
        parser.add_argument("--json", action="store_true", help="an object a line: difference, gap, progress and end")

    def handle(
        self, *, symbols: list[str], mend: bool, gaps: bool, interval: str | None, json: bool, **options
    ) -> None:
        self._interval = interval
        self._screen = following.Screen(self.stdout, self.stderr, is_json=json)
        try:
            self._check(_named(symbols), is_mended=mend, with_gaps=gaps)
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}.") from error

    def _check(self, asked: list[Symbol], *, is_mended: bool, with_gaps: bool) -> None:
        differences = missing = rows = bars = 0
        for first in range(0, len(asked), AT_ONCE):
            some = asked[first : first + AT_ONCE]
            self._screen.progress(Progress(first, len(asked), some[0].ticker))
            differences += self._compare(some, is_mended=is_mended)
            missing += sum(map(self._tell_gaps, some)) if with_gaps else 0
            counted = held.total(some, self._interval)
            rows, bars = rows + counted[0], bars + counted[1]
        self._screen.progress(Progress(len(asked), len(asked)))
        self._screen.clear()
        facts = {"differences": differences, "mended": is_mended, "gaps": missing, "rows": rows, "bars": bars}
        same = f"Coverage says what the bars do (bars checked: {bars}; symbols by interval: {rows})."
        self._screen.say("end", "" if differences and not is_mended else same, **facts)
        if differences and not is_mended:
            raise CommandError(f"{differences} facts are not what the bars say; --mend has them say it.")
        if missing:
            told = f"{missing} runs of sessions are missing; `refresh --gaps` asks for them."
            raise CommandError(told, returncode=following.IN_PART)

    def _compare(self, some: list[Symbol], *, is_mended: bool) -> int:
        found = [*held.differences(some), *gaps.differences(some)]
        found = [each for each in found if self._interval in (None, each.interval)]
        for each in found:
            facts = {"said": each.said and str(each.said), "found": each.found and str(each.found)}
            self._screen.say(
                "difference", str(each), symbol=each.ticker, interval=each.interval, fact=each.fact, **facts
            )
        if is_mended:
            held.mend(found)
            for symbol in some:
                gaps.recount(symbol)
        return len(found)

    def _tell_gaps(self, symbol: Symbol) -> int:
        found = [(row, gap) for row in gaps.rows(symbol, self._interval) for gap in gaps.of(row)]
        for row, gap in found:
            told = f"{symbol.ticker} {row.interval}: {gap.sessions} sessions from {gap.first} to {gap.last} are missing"
            facts = {"first": str(gap.first), "last": str(gap.last), "sessions": gap.sessions}
            self._screen.say("gap", told, symbol=symbol.ticker, interval=row.interval, **facts)
        return len(found)


def _named(texts: list[str]) -> list[Symbol]:
    if not texts:
        return list(Symbol.objects.order_by("ticker"))
    found = symbols.found(texts)
    if unknown := [text for text in texts if text not in found]:
        raise CommandError(f"There is no symbol {', '.join(unknown)} here.", returncode=2)
    return list({symbol.pk: symbol for symbol in found.values()}.values())
