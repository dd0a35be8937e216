"""The version before at work on a database that is newer than it. Run under its code; what it can't do is printed.

Expand, then contract: while a deploy goes on the old code still reads and writes every one of its tables.
"""

import os
import sys
import uuid
from dataclasses import replace
from datetime import timedelta

sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.contrib.auth import authenticate, get_user_model  # noqa: E402
from django.db import DatabaseError, IntegrityError, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from market import bars  # noqa: E402
from market.models import Symbol  # noqa: E402
from market.prices import midnight  # noqa: E402
from monitoring import jobs  # noqa: E402
from monitoring.jobs import declaration  # noqa: E402
from monitoring.jobs.claiming import claims  # noqa: E402
from monitoring.jobs.ending import attempts  # noqa: E402
from monitoring.jobs.running import body  # noqa: E402
from monitoring.jobs.running.context import Current  # noqa: E402
from realtime.models import AlertRule  # noqa: E402

OURS = ("finstage", "monitoring", "market", "analysis", "realtime")
DUPLICATE = 1062


def main() -> None:
    declaration.discover()
    for work in (every_table, a_bar, a_job, a_rule, a_person):
        try:
            work()
        except (DatabaseError, AssertionError) as error:
            sys.stdout.write(f"{work.__name__}: {error}\n")


def every_table() -> None:
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            row = model._base_manager.first()
            if row is None:
                sys.stdout.write(f"{model._meta.label}: the used database has no row of it\n")
                continue
            try:
                with transaction.atomic():
                    row.save(force_update=True)
                    _insert(row)
            except DatabaseError as error:
                sys.stdout.write(f"{model._meta.label}: {error}\n")


def _insert(row) -> None:
    """As a new row: whatever the old code does not know of must not be asked for. That it is there already is fine."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "UNIQUE" not in str(error) and error.args[0] != DUPLICATE:
            raise


def a_bar() -> None:
    first = bars.history("AAPL", adjusted="raw")[0]
    day = first.session_date - timedelta(weeks=1)
    other = replace(first, opened_at=midnight(day), session_date=day, is_final=True, revision=0)
    assert bars.upsert([replace(other, received_at=timezone.now())]).inserted == 1
    assert bars.upsert([replace(other, received_at=timezone.now(), volume=7)], reason="again").changed == 1


def a_job() -> None:
    asked = jobs.submit("market.records", {"symbols": ["AAPL"]}, priority="high")
    for job in claims.claim(uuid.uuid4(), 50, timezone.now()):
        if ending := body.run(Current(job)):
            attempts.end(ending)
    asked.refresh_from_db()
    assert asked.state == "completed", asked.error


def a_rule() -> None:
    AlertRule.objects.create(symbol=Symbol.objects.get(ticker="AAPL"), kind="price_above", level=1.0)
    assert AlertRule.objects.filter(level=1.0).exists()


def a_person() -> None:
    get_user_model().objects.create_user("maria", password="another long password")
    assert authenticate(username="maria", password="another long password")
    assert authenticate(username="jean", password="a long password")


main()
