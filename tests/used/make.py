"""`python -m tests.used.make`: make the used databases anew, by the code of tests.versions.before.COMMIT.

Whoever changes tables next moves that commit to the main before the change and runs this. It needs MariaDB.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import MySQLdb
import redis as protocol

from tests import services
from tests.used import dump
from tests.used.dump import Dump
from tests.versions import before

PREFIX = "finstage:"
PLAY_SECONDS = 12
FILL = Path(__file__).with_name("fill.py")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        mariadb = services.start_mariadb(Path(folder))
        valkey = services.start_valkey(Path(folder))
        try:
            for source in dump.SOURCES:
                path = _made(source, Path(folder) / source, valkey, mariadb).save()
                print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")  # noqa: T201
        finally:
            services.pytest_unconfigure()


def _made(source: str, folder: Path, valkey: Path, mariadb: Path) -> Dump:
    client = protocol.Redis(unix_socket_path=str(valkey))
    client.flushall()
    folder.mkdir()
    sqlite = folder / "used.sqlite3"
    environment = {**os.environ, **_environment(source, folder, valkey), "DATABASE_URL": f"sqlite:///{sqlite}"}
    _run(environment, "manage.py", "prepare")
    if source == "replay":
        _play(environment)
    _run(environment, str(FILL), source)
    schema, tables = dump.tables_of(sqlite)
    schemas = {"sqlite": schema, "mysql": _mariadb_schema(source, environment, mariadb)}
    return Dump(before.COMMIT, source, schemas, tables, dump.keys_of(client, PREFIX))


def _environment(source: str, folder: Path, valkey: Path) -> dict[str, str]:
    return {
        "FINSTAGE_VAR": str(folder),
        "FINSTAGE_SOURCE": source,
        "FINSTAGE_ADMIN_PASSWORD": "the admin's password",
        "FINSTAGE_REPLAY_SESSION_SECONDS": "1",
        "SECRET_KEY": services.SECRET_KEY,
        "REDIS_URL": f"unix://{valkey}?db=0",
        "BROKER_URL": f"redis+socket://{valkey}?virtual_host=1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _run(environment: dict[str, str], *command: str) -> None:
    subprocess.run([sys.executable, *command], cwd=before.folder(), env=environment, check=True)


def _play(environment: dict[str, str]) -> None:
    """A few sessions, as the feed plays them."""
    feed = subprocess.Popen([sys.executable, "manage.py", "feed"], cwd=before.folder(), env=environment)
    time.sleep(PLAY_SECONDS)
    feed.terminate()
    feed.wait(30)


def _mariadb_schema(source: str, environment: dict[str, str], mariadb: Path) -> list[str]:
    url = services.make_database(mariadb, f"used_{source}")
    _run({**environment, "DATABASE_URL": url}, "manage.py", "migrate", "--verbosity", "0")
    with MySQLdb.connect(unix_socket=str(mariadb), user="root", database=f"used_{source}").cursor() as cursor:
        cursor.execute("SHOW TABLES")
        tables = [name for (name,) in cursor.fetchall()]
        made = []
        for table in tables:
            cursor.execute(f"SHOW CREATE TABLE `{table}`")
            made.append(cursor.fetchone()[1])
    return made


if __name__ == "__main__":
    main()
