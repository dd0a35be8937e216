"""`manage.py switch_source NAME`: prices from elsewhere, from now on."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from redis.exceptions import RedisError

from finstage import afresh, lock
from market import sources
from market.models import DataSource
from monitoring import heartbeats

FEED_SECONDS = 10.0


class Command(BaseCommand):
    help = "Take prices from another source: people, watchlists and rules stay, all prices start afresh."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", choices=sorted(sources.SOURCES))

    def handle(self, *, source: str, **options) -> None:
        try:
            with lock.held():
                self._switch(source)
        except (DatabaseError, RedisError) as error:
            raise CommandError(f"Nothing was switched: {error}. `{settings.MANAGE} doctor` says more.") from error
        self.stdout.write(f"Prices come from {source} now. Start Finstage with: make up")
        if settings.SOURCE not in ("auto", source):
            self.stdout.write(f"FINSTAGE_SOURCE is {settings.SOURCE}: unset it, or set it to {source}.")

    def _switch(self, source: str) -> None:
        self._refuse_while_a_feed_runs()
        chosen = DataSource.objects.filter(pk=1).first()
        if chosen is None:
            sources.choose(source)
        elif chosen.name != source:
            # In this order: what Redis lost the database can tell, and a crash in between changes nothing.
            afresh.forget_live()
            afresh.begin(source)

    def _refuse_while_a_feed_runs(self) -> None:
        if settings.REDIS_EMBEDDED:
            return  # it would need the Valkey of an `up`, and the lock says that none runs
        age = heartbeats.age("feed")
        if age is not None and age < FEED_SECONDS:
            raise CommandError("A feed runs. Stop it and the web processes first, so that nothing writes old prices.")
