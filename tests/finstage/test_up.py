"""`manage.py up`: everything starts, comes back when it is killed, and ends when it is told to."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
from django.conf import settings

from finstage import valkey
from tests.conftest import free_port
from tests.listener import Listener
from tests.tree import PARTS, SERVICES, Up, holds, left


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    """One tree for the tests that leave it whole."""
    running = Up(tmp_path_factory.mktemp("up") / "var", FINSTAGE_REPLAY_SESSION_SECONDS="5")
    try:
        running.wait_until_moving()
        yield running
    finally:
        running.process.terminate()
        running.process.wait(60)


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
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def listener(up) -> Iterator[Listener]:
    """A client that listens while the parts are killed."""
    client = Listener(up.port)
    client.start()
    up.wait(lambda: client.heard)
    yield client
    client.stop.set()
    client.join(10)


@pytest.mark.parametrize("name", ["feed", "web", "valkey", "worker", "beat"])
def test_a_part_that_is_killed_comes_back_and_serves_and_a_listener_misses_nothing_unsaid(up, listener, name):
    killed, heard, at = up.parts()[name], listener.heard, time.time()
    killed.kill()
    up.wait(lambda: up.parts()[name].pid != killed.pid and up.serves(name, at))
    up.wait(lambda: listener.heard > heard)
    assert not listener.holes


def test_across_forced_reconnects_no_price_is_missing(up, listener):
    up.wait_until_moving()
    connections, gaps = listener.connections, len(listener.gaps)
    for times in range(1, 6):
        heard = listener.heard
        listener.cut()
        up.wait(lambda times=times, heard=heard: listener.connections >= connections + times and listener.heard > heard)
    assert not listener.holes
    assert len(listener.gaps) == gaps


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
    assert not left(ended.var)


def test_the_other_source_is_refused_with_the_command_that_switches(ended):
    result = _run("up", {**ended.environment, "FINSTAGE_SOURCE": "yahoo"})
    assert result.returncode == 1
    assert "switch_source yahoo" in result.stderr
    assert not left(ended.var)


def test_a_valkey_that_was_left_behind_is_ended_and_its_keys_are_kept(ended):
    path = str(ended.var / "run" / "valkey.sock")
    options = ["--port", "0", "--unixsocket", path, "--dir", str(ended.var / "valkey"), "--appendonly", "yes"]
    orphan = subprocess.Popen([valkey.binary(), *options], start_new_session=True, stdout=subprocess.DEVNULL)
    while not holds(lambda: _say(path, b"SET left behind\r\n") == b"+OK\r\n"):
        assert orphan.poll() is None
    again = Up(ended.var)
    again.wait(lambda: "valkey" in again.parts() and _say(path, b"GET left\r\n") == b"$6\r\nbehind\r\n")
    assert orphan.wait(60) == 0
    again.end()


def test_after_kill_9_no_process_is_left_and_the_next_start_has_everything(tmp_path):
    running = Up(tmp_path / "var", FINSTAGE_REPLAY_SESSION_SECONDS="1")
    running.wait_until_moving()
    seen = running.quote()
    running.process.kill()
    running.process.wait()
    psutil.wait_procs(left(running.var), timeout=60)
    assert not left(running.var)
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
