"""What Finstage stands on, one finding each: its state, and the fix where it needs one."""

import resource
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from finstage import health
from finstage.celery import app
from market import sources
from market.models import DataSource, Symbol
from market.sources import pace
from monitoring import heartbeats, redis, refusals
from monitoring.heartbeats import LATE_SECONDS
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending.reaper import UNKNOWN_FOR

PATIENCE_SECONDS = 6.0
BROKER_SECONDS = 2.0
SKEW_SECONDS = 2.0
OPEN_FILES = 4096
FREE_BYTES = 500 << 20
START = "Start Finstage with: make up"


@dataclass(frozen=True)
class Finding:
    """fix: what to do, empty where all is well."""

    name: str
    state: str
    fix: str = ""


class Broken(Exception):
    """A check's own sentence about what is wrong, and the fix."""

    def __init__(self, state: str, fix: str) -> None:
        super().__init__(state)
        self.state, self.fix = state, fix


def database() -> str:
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Broken(f"{len(missing)} migrations are missing", f"Run: {settings.MANAGE} prepare")
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}, {settings.DATABASES['default']['NAME']}"
    version = ".".join(str(part) for part in connection.mysql_version)
    return f"{'MariaDB' if connection.mysql_is_mariadb else 'MySQL'} {version}"


def redis_protocol() -> str:
    facts = redis.client().info("server")
    where = "embedded" if settings.REDIS_EMBEDDED else "REDIS_URL"
    name = facts.get("server_name", "redis").capitalize()
    return f"{name} {facts.get('valkey_version', facts['redis_version'])} ({where})"


def source() -> str:
    row = DataSource.objects.filter(pk=1).first()
    if row is None:
        raise Broken("not chosen yet", START)
    if settings.SOURCE not in ("auto", row.name):
        asked = f"{row.name}, and FINSTAGE_SOURCE asks for {settings.SOURCE}"
        raise Broken(asked, f"Unset it, or run: {settings.MANAGE} switch_source {settings.SOURCE}")
    about, symbols = sources.about(row.name), Symbol.objects.tracked().count()
    slowed = _paced(about)
    if not about.is_recorded and not sources.source().answers(sources.ANSWER_SECONDS):
        raise Broken(f"{row.name} does not answer", "Check the network; prices come again by themselves when it does.")
    return f"{row.name} since {row.chosen_at:%Y-%m-%d} ({row.reason}), {symbols} symbols{slowed}"


def _paced(about: sources.About) -> str:
    """That it is asked more slowly than the settings allow, if so. Raises Broken where it is not asked at all now."""
    state = about.pace().state() if about.pace else None
    if state is None or (state.rate >= state.allowed and state.breaker != pace.OPEN):
        return ""
    if state.breaker == pace.OPEN:
        told = f"{about.name} is not asked until {state.opened_until:%H:%M:%S} UTC: {state.why or state.code}"
        raise Broken(told, "It is asked again by itself; where that happens often, lower FINSTAGE_YAHOO_RATE.")
    return f"; asked at {state.rate:.2g} of {state.allowed:g} requests a second, as it limits us or answers slowly"


def broker() -> str:
    with app.connection_for_read(connect_timeout=BROKER_SECONDS) as channel:
        channel.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
        return channel.transport.driver_type


def worker() -> str:
    return _alive("worker", heartbeats.age("worker"))


def beat() -> str:
    return _alive("beat", heartbeats.age("beat"))


def feed() -> str:
    told = _alive("feed", heartbeats.age("feed"))
    if late := (heartbeats.last("feed") or {}).get("late"):
        raise Broken(late, "Look at the database: it is away, frozen or held by another writer.")
    return told


def turning() -> str:
    """Every loop of every process, as each tells of its own."""
    if faults := heartbeats.troubles() + health.supervisor():
        raise Broken("; ".join(faults), "Start that process again; its log says what broke.")
    return "all turn"


def refused() -> str:
    """What was refused of what came in: a fact about sources, and nothing that is broken here."""
    if not (counts := refusals.counts()):
        return "nothing"
    newest = max((kept[0] for kind in counts if (kept := refusals.newest(kind))), key=lambda one: one["at"])
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    return f"{told}; last {newest['what']} at {newest['at'][:19]}: {newest['why'][:120]}"


def unknown_jobs() -> str:
    """Jobs that wait for a worker of another version: right in the middle of a deploy, and wrong when it lasts."""
    if names := claims.left_since(timezone.now() - UNKNOWN_FOR):
        told = f"jobs wait, and no worker that looked knows {', '.join(sorted(names))}"
        raise Broken(told, "Start a worker of a version that does, or cancel them.")
    return "none wait"


def clock() -> str:
    before = time.time()
    seconds, micros = redis.client().time()
    skew = seconds + micros / 1e6 - (before + time.time()) / 2
    if abs(skew) > SKEW_SECONDS:
        raise Broken(f"{skew:+.1f} s from the Redis server's", "Set both clocks: timedatectl set-ntp on")
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, {abs(skew):.3f} s from the Redis server's"


def open_files() -> str:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        raise Broken(f"at most {hard}", "Each client needs one: raise the hard limit.")
    return "no limit" if hard == resource.RLIM_INFINITY else f"up to {hard}"


def cache_folder() -> str:
    folder = settings.VAR / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise Broken(f"{free >> 20} MB are free in {folder}", "Make room on that disk.")
    return f"{folder}, {free >> 30} GB free"


def sending() -> str:
    if not settings.DELIVERY_ALLOWED_NETWORKS:
        return "to public addresses alone"
    told = ", ".join(map(str, settings.DELIVERY_ALLOWED_NETWORKS))
    return f"warning: also to {told}, which all reach who may write an address (FINSTAGE_DELIVERY_ALLOWED_NETWORKS)"


CHECKS: dict[str, tuple[Callable[[], str], str]] = {
    "database": (database, "Check DATABASE_URL and that its server runs."),
    "redis": (redis_protocol, START if settings.REDIS_EMBEDDED else "Check REDIS_URL and that its server runs."),
    "source": (source, "Which source it is stands in the database, which must answer first."),
    "broker": (broker, START if settings.REDIS_EMBEDDED else "Check BROKER_URL and that its server runs."),
    "worker": (worker, START),
    "beat": (beat, START),
    "feed": (feed, START),
    "loops": (turning, "They are told through Redis, which must answer first."),
    "unknown jobs": (unknown_jobs, "They stand in the database, which must answer first."),
    "refused": (refused, "It is counted in Redis, which must answer first."),
    "clock": (clock, "It is compared with the Redis server's, which must answer first."),
    "open files": (open_files, "Raise the limit."),
    "sending": (sending, "Check FINSTAGE_DELIVERY_ALLOWED_NETWORKS."),
    "cache folder": (cache_folder, "Make it writable for this user, or set FINSTAGE_VAR to another folder."),
}


def examine() -> list[Finding]:
    """Ask everything at once, each in a thread of its own: what hangs is named and holds nobody up."""
    findings: dict[str, Finding] = {}
    threads = [threading.Thread(target=_ask, args=(name, findings), daemon=True) for name in CHECKS]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [findings.get(name) or _silent(name) for name in CHECKS]


def _ask(name: str, findings: dict[str, Finding]) -> None:
    check, fix = CHECKS[name]
    try:
        findings[name] = Finding(name, check())
    except Broken as broken:
        findings[name] = Finding(name, broken.state, broken.fix)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a dependency is the finding
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        findings[name] = Finding(name, said, fix)


def _silent(name: str) -> Finding:
    return Finding(name, f"no answer within {PATIENCE_SECONDS:g} s", CHECKS[name][1])


def _alive(name: str, age: float | None) -> str:
    if age is None:
        raise Broken("never seen", START)
    if age > LATE_SECONDS:
        raise Broken(f"last seen {age:.0f} s ago", START)
    return f"seen {age:.0f} s ago"
