"""A used database as a file: each engine's own tables as the code of that time made them, and rows that both can take.

JSON in xz. A row's values are those of SQLite (instants and decimals as text, truth as 0 or 1), which MariaDB takes as
they are. What lay in Redis comes along, as commands would write it.
"""

import json
import lzma
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

import redis as protocol
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from monitoring import redis as connection_to_redis

FOLDER = Path(__file__).resolve().parent
SOURCES = ("replay", "yahoo")
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Dump:
    """commit: the code that made it. schema: statements by engine, in order. tables: columns by name, as lists."""

    commit: str
    source: str
    schema: dict[str, list[str]]
    tables: dict[str, dict[str, list]]
    redis: dict[str, list]

    def save(self) -> Path:
        path = _path(self.source)
        text = json.dumps(asdict(self), separators=(",", ":")).encode()
        path.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
        return path

    def rows(self, table: str) -> list[tuple]:
        return list(zip(*self.tables[table].values(), strict=True))


def load(source: str) -> Dump:
    return Dump(**json.loads(lzma.decompress(_path(source).read_bytes())))


def into_database(dump: Dump, connection: BaseDatabaseWrapper = connection) -> None:
    """Make the tables and rows in the empty database of a connection."""
    one = transaction.atomic(connection.alias)
    with connection.constraint_checks_disabled(), one, connection.cursor() as cursor:
        for statement in dump.schema[connection.vendor]:
            cursor.execute(statement)
        for table, columns in dump.tables.items():
            names = ", ".join(map(connection.ops.quote_name, columns))
            insert = (
                f"INSERT INTO {connection.ops.quote_name(table)} ({names}) VALUES ({', '.join(['%s'] * len(columns))})"
            )
            rows = dump.rows(table)
            for start in range(0, len(rows), ROWS_AT_ONCE):
                cursor.executemany(insert, rows[start : start + ROWS_AT_ONCE])


def into_redis(dump: Dump) -> None:
    """In place of whatever lies there."""
    with connection_to_redis.client().pipeline() as pipe:
        pipe.flushall()
        for key, (kind, value) in dump.redis.items():
            match kind:
                case "string":
                    pipe.set(key, value)
                case "hash":
                    pipe.hset(key, mapping=value)
                case "list":
                    pipe.rpush(key, *value)
                case "set":
                    pipe.sadd(key, *value)
                case "stream":
                    for number, fields in value:
                        pipe.xadd(key, fields, id=number)
        pipe.execute()


def tables_of(path: Path) -> tuple[list[str], dict[str, dict[str, list]]]:
    """The statements that made a SQLite file's tables, and all its rows."""
    with sqlite3.connect(path) as file:
        own = "SELECT name, sql FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite_%' AND sql IS NOT NULL"
        tables = file.execute(f"{own} ORDER BY rowid", ["table"]).fetchall()
        indexes = file.execute(f"{own} ORDER BY rowid", ["index"]).fetchall()
        found = {}
        for name, _ in tables:
            cursor = file.execute(f'SELECT * FROM "{name}"')
            columns, rows = [column[0] for column in cursor.description], cursor.fetchall()
            found[name] = {column: [row[place] for row in rows] for place, column in enumerate(columns)}
    return [statement for _, statement in [*tables, *indexes]], found


def keys_of(client: protocol.Redis, prefix: str) -> dict[str, list]:
    """What lies under our keys in Redis, those of Celery and of leases left out."""
    found = {}
    for key in sorted(client.scan_iter(f"{prefix}*")):
        kind = client.type(key).decode()
        if not key.startswith((f"{prefix}celery".encode(), f"{prefix}lease".encode())):
            found[key.decode()] = [kind, _plain(_READ[kind](client, key))]
    return found


_READ = {
    "string": lambda client, key: client.get(key),
    "hash": lambda client, key: client.hgetall(key),
    "list": lambda client, key: client.lrange(key, 0, -1),
    "set": lambda client, key: sorted(client.smembers(key)),
    "stream": lambda client, key: client.xrange(key, count=20),
}


def _plain(value: object) -> object:
    """Bytes as text, all the way down."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {_plain(name): _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _path(source: str) -> Path:
    return FOLDER / f"{source}.json.xz"
