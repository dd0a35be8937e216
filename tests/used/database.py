"""A used database under the tests' own connection, and what this version and the one before can do with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from tests.used import dump
from tests.used.dump import Dump
from tests.versions import before

AS_BEFORE = Path(__file__).with_name("as_before.py")
MANY = 1_000_000


@contextmanager
def empty(name: str, collation: str = "utf8mb4_bin") -> Iterator[None]:
    """Everything that Django does meanwhile is done in an empty database of this name."""
    of_the_tests = connection.settings_dict["NAME"]
    _make(name, collation)
    try:
        _turn_to(_path(name))
        yield
    finally:
        _drop(name)
        _turn_to(of_the_tests)


@contextmanager
def used(source: str) -> Iterator[Dump]:
    """A database that the main before filled, not yet touched by this version."""
    found = dump.load(source)
    with empty(f"used_{source}"), override_settings(SOURCE=source):
        dump.into_database(found)
        yield found


def prepare() -> None:
    """As every start of this version does."""
    call_command("prepare", stdout=open(os.devnull, "w"))  # noqa: SIM115


def rows(found: Dump) -> dict[str, set[tuple]]:
    """Of every table the columns that the dump knows, as the database has them now."""
    held = {}
    with connection.cursor() as cursor:
        for table, columns in found.tables.items():
            names = ", ".join(map(connection.ops.quote_name, columns))
            cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(table)}")
            held[table] = set(cursor.fetchall())
    return held


def faults_of_the_code_before(source: str) -> list[str]:
    """What the code before this can no longer do here, a line each."""
    environment = {**os.environ, **_address(), "FINSTAGE_SOURCE": source}
    done = subprocess.run(
        [sys.executable, AS_BEFORE], cwd=before.folder(), env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines() if done.returncode == 0 else [done.stderr[-3000:]]


def _address() -> dict[str, str]:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{name}"}
    return {"DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()}


def _path(name: str) -> str:
    return str(settings.VAR / f"{name}.sqlite3") if connection.vendor == "sqlite" else f"{_prefix()}{name}"


def _prefix() -> str:
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_"


def _make(name: str, collation: str) -> None:
    _drop(name)
    if connection.vendor == "mysql":
        _administer(f"CREATE DATABASE {_path(name)} CHARACTER SET utf8mb4 COLLATE {collation}")


def _drop(name: str) -> None:
    if connection.vendor == "mysql":
        _administer(f"DROP DATABASE IF EXISTS {_path(name)}")
        return
    connection.close()
    for ending in ("", "-wal", "-shm"):
        Path(_path(name) + ending).unlink(missing_ok=True)


def _administer(statement: str) -> None:
    """From the one database that every server has: the tests' own may not be there yet."""
    _turn_to("mysql")
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _turn_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
