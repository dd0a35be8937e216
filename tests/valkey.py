"""A Valkey of a test's own, which is killed, frozen and started again, and what this process then knows of it."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from monitoring import redis as connection
from realtime.streams import publishing, scripts
from tests import services

START_SECONDS = 60


class Server:
    """What it comes back with after a kill: all that it was told, where `keeps`, else what `keep` found."""

    def __init__(self, folder: Path, *, keeps: bool = False) -> None:
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._command = services.valkey_command(folder)
        if keeps:
            self._command += ["--appendonly", "yes", "--appendfsync", "everysec"]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        client = redis.Redis(unix_socket_path=str(self.socket))
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(redis.RedisError):
                if client.ping():
                    client.close()
                    return
            time.sleep(0.02)
        raise AssertionError(f"no server at {self.socket}")

    def keep(self) -> None:
        """What it has now is what it comes back with."""
        connection.client().save()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def lose(self, size: int) -> None:
        """Of the log of one that was killed so many bytes are gone from the end, as after a power failure."""
        newest = max((self.socket.parent / "appendonlydir").glob("*.incr.aof"), key=lambda file: file.stat().st_mtime)
        with newest.open("r+b") as log:
            log.truncate(max(0, newest.stat().st_size - size))

    def restart(self) -> None:
        self.kill()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def standing_on(folder: Path, settings, *, keeps: bool = False) -> Iterator[Server]:
    """A server that this process's own code uses while the block lasts."""
    server, before = Server(folder, keeps=keeps), settings.REDIS_URL
    settings.REDIS_URL = server.url
    _forget()
    try:
        yield server
    finally:
        server.kill()
        settings.REDIS_URL = before
        _forget()


# A server that answers, and does nothing that is asked; each gives what makes it good again.


@contextmanager
def cannot_save(server: Server) -> Iterator[Callable[[], object]]:
    """Its disk takes nothing: MISCONF."""
    with _apart(server) as client:
        in_the_way = server.socket.parent / "dump.rdb"
        in_the_way.mkdir()
        client.config_set("save", "3600 1")
        client.bgsave()
        while client.info("persistence")["rdb_last_bgsave_status"] == "ok":
            time.sleep(0.01)
        yield lambda: client.config_set("save", "")


@contextmanager
def is_full(server: Server) -> Iterator[Callable[[], object]]:
    """OOM"""
    with _apart(server) as client:
        client.config_set("maxmemory", 1)
        yield lambda: client.config_set("maxmemory", 0)


@contextmanager
def is_read_only(server: Server) -> Iterator[Callable[[], object]]:
    """Another one has its place: READONLY."""
    with _apart(server) as client:
        client.config_set("replica-serve-stale-data", "yes")
        client.replicaof("127.0.0.1", 1)
        yield lambda: client.replicaof("NO", "ONE")


@contextmanager
def runs_a_script(server: Server) -> Iterator[Callable[[], object]]:
    """BUSY"""
    with _apart(server) as client, _apart(server) as other:
        client.config_set("busy-reply-threshold", 50)
        running = threading.Thread(target=_run_on, args=(other,), daemon=True)
        running.start()
        time.sleep(0.2)
        yield client.script_kill
        running.join()


def _run_on(client: redis.Redis) -> None:
    with contextlib.suppress(redis.RedisError):  # it is killed
        client.eval("while true do end", 0)


@contextmanager
def _apart(server: Server) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        yield client


def another_process() -> None:
    """From here on this is one that has published nothing yet."""
    publishing._given.clear()
    publishing._run = ""


def _forget() -> None:
    for kept in (connection.client, connection.quick_client, scripts._registered):
        kept.cache_clear()
    another_process()
