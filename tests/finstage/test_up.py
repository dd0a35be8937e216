"""`manage.py up`: everything starts, comes back when it is killed, and ends when it is told to."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from finstage import valkey
from tests.conftest import free_port

START_SECONDS = 60
SERVICES = {"REDIS_URL", "BROKER_URL", "DATABASE_URL"}
PARTS = {"valkey", "web", "feed", "worker", "beat"}


class Up:
    """A running `manage.py up` on a folder of its own, with its embedded Valkey."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.var, self.port, self.log = var, free_port(), var.with_suffix(".log")
        own = {"FINSTAGE_VAR": str(var), "PORT": str(self.port), "FINSTAGE_SOURCE": "replay"}
        without = {name: value for name, value in os.environ.items() if name not in SERVICES}
        self.environment = {**without, "FINSTAGE_ADMIN_PASSWORD": "for-tests-only", **own, **environment}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def ready(self) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2) as answer:
            return json.load(answer)

    def quote(self) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/symbols/AAPL/quote/", timeout=2) as answer:
            return json.load(answer)

    def parts(self) -> dict[str, psutil.Process]:
        """The parts that run, by name."""
        found = {}
        for process in psutil.Process(self.process.pid).children():
            words = process.cmdline()
            found.update({name: process for name in PARTS if name in words or f"{name}-server" in " ".join(words[:1])})
        return found

    def wait(self, condition: Callable[[], object], seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not _holds(condition):
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            time.sleep(0.05)

    def wait_until_moving(self) -> None:
        self.wait(lambda: self.ready()["dependencies"]["feed"]["ok"] and self.parts().keys() == PARTS)
        first = self.quote()
        self.wait(lambda: self.quote()["received_at"] != first["received_at"])

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except (OSError, KeyError, psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def _left(var: Path) -> list[psutil.Process]:
    """Every process that belongs to a folder, whoever its parent is."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("FINSTAGE_VAR") == str(var):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    """One tree for the tests that leave it whole."""
    running = Up(tmp_path_factory.mktemp("up") / "var", FINSTAGE_REPLAY_SESSION_SECONDS="5")
    try:
        running.wait_until_moving()
        yield running
    finally:
        running.process.terminate()
        running.process.wait(30)


@pytest.fixture(scope="module")
def ended(tmp_path_factory) -> Up:
    """A tree that was whole and got Ctrl-C."""
    running = Up(tmp_path_factory.mktemp("ended") / "var")
    running.wait(lambda: running.parts().keys() == PARTS)
    running.end()
    return running


def _run(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["feed", "web", "valkey", "worker", "beat"])
def test_a_part_that_is_killed_comes_back(up, name):
    killed = up.parts()[name]
    killed.kill()
    up.wait(lambda: up.parts()[name].pid != killed.pid, 10)
    up.wait_until_moving()


def test_doctor_finds_nothing_broken(up):
    up.wait_until_moving()
    result = _run("doctor", up.environment)
    assert result.returncode == 0, result.stdout


def test_nobody_else_may_enter_the_folder_of_the_valkey_socket(up):
    assert (up.var / "run").stat().st_mode & 0o077 == 0


def test_a_second_up_on_the_same_folder_is_refused(up):
    result = _run("up", {**up.environment, "PORT": str(free_port())})
    assert result.returncode == 1
    assert f"already runs on {up.var} (process {up.process.pid})" in result.stderr


def test_a_source_is_not_switched_under_a_running_up(up):
    result = _run("switch_source yahoo", up.environment)
    assert result.returncode == 1
    assert "already runs" in result.stderr


def test_a_port_in_use_is_refused_with_the_fix(up, tmp_path):
    result = _run("up", {**up.environment, "FINSTAGE_VAR": str(tmp_path)})
    assert result.returncode == 1
    assert "in use" in result.stderr
    assert "PORT=" in result.stderr


def test_doctor_says_how_to_start_what_does_not_run(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in SERVICES}
    result = _run("doctor", {**environment, "FINSTAGE_VAR": str(tmp_path)})
    assert result.returncode == 1
    assert "make up" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_ctrl_c_ends_every_process(ended):
    assert ended.process.returncode == 0
    assert not _left(ended.var)


def test_the_other_source_is_refused_with_the_command_that_switches(ended):
    result = _run("up", {**ended.environment, "FINSTAGE_SOURCE": "yahoo"})
    assert result.returncode == 1
    assert "switch_source yahoo" in result.stderr
    assert not _left(ended.var)


def test_a_valkey_that_was_left_behind_is_ended_and_its_keys_are_kept(ended):
    path = str(ended.var / "run" / "valkey.sock")
    options = ["--port", "0", "--unixsocket", path, "--dir", str(ended.var / "valkey"), "--appendonly", "yes"]
    orphan = subprocess.Popen([valkey.binary(), *options], start_new_session=True, stdout=subprocess.DEVNULL)
    while not _holds(lambda: _say(path, b"SET left behind\r\n") == b"+OK\r\n"):
        assert orphan.poll() is None
    again = Up(ended.var)
    again.wait(lambda: "valkey" in again.parts() and _say(path, b"GET left\r\n") == b"$6\r\nbehind\r\n")
    assert orphan.wait(10) == 0
    again.end()


def test_after_kill_9_no_process_is_left_and_the_next_start_has_everything(tmp_path):
    running = Up(tmp_path / "var", FINSTAGE_REPLAY_SESSION_SECONDS="1")
    running.wait_until_moving()
    seen = running.quote()
    running.process.kill()
    running.process.wait()
    psutil.wait_procs(_left(running.var), timeout=10)
    assert not _left(running.var)
    again = Up(running.var)
    again.wait(again.ready)
    found = again.quote()
    again.end()
    assert found["timestamp"] >= seen["timestamp"]


def _say(path: str, command: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(command)
        return client.recv(100)
