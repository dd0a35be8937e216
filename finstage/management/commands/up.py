"""`manage.py up`: everything, on this machine, until Ctrl-C."""

import os
import sys

from django.conf import settings
from django.core.management.base import BaseCommand

from finstage import addresses, listening, lock, plan, processes, supervisor, valkey
from finstage.plan import Part, Plan

LEFTOVER_SECONDS = 5.0
WORKER_THREADS = 8


class Command(BaseCommand):
    help = "Start web, feed, worker and beat (and Valkey, unless REDIS_URL is set), and keep them running."
    requires_system_checks = []

    def handle(self, **options) -> None:
        register = settings.VAR / processes.REGISTER
        # Held as long as this process lives, also after it has become the supervisor; its parts do not inherit it.
        os.set_inheritable(lock.take(), True)
        self._end_leftovers(register)
        if settings.REDIS_EMBEDDED:
            valkey.make_folders()
        listening.at(settings.HOST, settings.PORT).close()
        work = Plan(
            stages=stages(),
            folder=str(settings.BASE_DIR),
            register=str(register),
            host=settings.HOST,
            port=settings.PORT,
            elsewhere=addresses.elsewhere(settings.HOST, settings.PORT, settings.ALLOWED_HOSTS),
        )
        sys.stdout.flush()
        environment = {**os.environ, supervisor.PLAN: plan.write(work)}
        os.chdir(settings.BASE_DIR)
        os.execve(sys.executable, [sys.executable, "-m", "finstage.supervisor"], environment)

    def _end_leftovers(self, register) -> None:
        """What an `up` that was killed left behind must not write beside the new one."""
        left = processes.Register(register).end(seconds=LEFTOVER_SECONDS)
        orphan = settings.REDIS_EMBEDDED and valkey.end_orphan(seconds=LEFTOVER_SECONDS)
        if left or orphan:
            self.stderr.write(f"Ended {left + orphan} processes that an earlier start left behind.")


def stages() -> list[list[Part]]:
    """Valkey first, then what prepares the data, then what shows prices, and the jobs when those are there."""
    manage = [sys.executable, "manage.py"]
    celery = [sys.executable, "-m", "celery", "-A", "finstage", "--quiet"]
    quiet = ["--loglevel", "WARNING"]
    alone = ["--without-mingle", "--without-gossip", "-n", "worker@%h"]
    worker = [*celery, "worker", "-P", "threads", "--concurrency", str(WORKER_THREADS), *alone, *quiet]
    server = Part("valkey", valkey.command(), socket=str(settings.VALKEY_SOCKET), log=str(valkey.log()))
    return [
        [server] if settings.REDIS_EMBEDDED else [],
        [Part("prepare", [*manage, "prepare"], is_once=True)],
        [Part("web", [*manage, "web"]), Part("feed", [*manage, "feed"])],
        [Part("worker", worker), Part("beat", [*celery, "beat", *quiet])],
    ]
