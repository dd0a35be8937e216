"""`manage.py prepare`: what must be there before the parts start. Safe to run again; `up` runs it each time."""

import os
import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from analysis.models import IndicatorRow, SignalSpan
from market import sources
from market.models import KeyFigures, Record, TradingYear
from market.sources import ProviderError, WrongSource
from monitoring import jobs, redis
from monitoring.jobs import doorbell, schedules

ADMIN = "admin"


class Command(BaseCommand):
    help = "Bring the database up to date, choose the source of prices, load its history and make the admin."
    requires_system_checks = []

    def handle(self, **options) -> None:
        (settings.VAR / "cache").mkdir(parents=True, exist_ok=True)
        self._reach_redis()
        self._migrate()
        self._prepare_source()
        self._ask_for_records()
        self._make_admin()

    def _reach_redis(self) -> None:
        try:
            redis.client().ping()
        except RedisError as error:
            raise CommandError(
                f"The Redis at {_without_password(settings.REDIS_URL)} does not answer ({error}). Start it, or unset "
                "REDIS_URL to use the embedded Valkey."
            ) from None

    def _migrate(self) -> None:
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                self.stderr.write("Bringing the database up to date …")
                call_command("migrate", interactive=False, verbosity=0)
            schedules.seed()
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {error}. Check DATABASE_URL.") from None

    def _prepare_source(self) -> None:
        try:
            source = sources.source()
            source.prepare()  # what takes minutes jobs bring
        except WrongSource as error:
            raise CommandError(str(error)) from None
        except ProviderError as error:
            raise CommandError(f"The source of prices can't be prepared: {error}") from None
        if source.about.is_recorded:
            self.stdout.write(f"Prices are recorded sessions. For live ones: {settings.MANAGE} switch_source yahoo")
        else:
            self.stdout.write(f"Prices come from {source.about.title}.")

    def _ask_for_records(self) -> None:
        """The hourly and daily jobs, at once where they never ran."""
        never = {
            "market.records": Record,
            "analysis.indicators": IndicatorRow,
            "analysis.signals": SignalSpan,
            "market.calendars": TradingYear,
        }
        never |= {"market.figures": KeyFigures} if sources.can("figures") else {}
        if asked := [name for name, model in never.items() if not model.objects.exists()]:
            for name in asked:
                jobs.submit(name)
            doorbell.flush()

    def _make_admin(self) -> None:
        users = get_user_model().objects
        given = os.environ.get("FINSTAGE_ADMIN_PASSWORD", "")
        if not users.filter(is_superuser=True).exists():
            users.create_superuser(ADMIN, password=given or self._new_password())
        elif given and (admin := users.filter(username=ADMIN).first()) and not admin.check_password(given):
            admin.set_password(given)
            admin.save(update_fields=["password"])

    def _new_password(self) -> str:
        password = secrets.token_urlsafe(12)
        self.stdout.write(f"Log in as {ADMIN} with the password {password} (shown only now; change it in /admin/)")
        return password


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
