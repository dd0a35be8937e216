"""`manage.py web` as a process: how it starts, what it loads, how it serves files and how it ends."""

import json
import signal
import socket
import subprocess
import sys

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from finstage import addresses
from tests.forks import ROOT
from tests.server import eventually, running

SLOW = {"DJANGO_SETTINGS_MODULE": "tests.finstage.web_settings", "FINSTAGE_HTTP_THREADS": "1"}


@pytest.fixture(scope="module")
def web():
    with running("manage.py", "web") as server:
        yield server


def test_a_port_in_use_is_one_sentence_and_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "manage.py", "web", "--port", str(port)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode != 0
    assert ended.stderr.strip() == (
        f"CommandError: Can't listen on 127.0.0.1:{port}: the port is in use. "
        "Stop what uses it, or choose another with PORT=8001."
    )


def test_the_web_process_does_not_load_what_only_others_need():
    heavy = ("pandas", "yfinance", "scipy", "curl_cffi")
    code = f"import sys, finstage.asgi, finstage.urls; print([name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_a_foreign_host_is_told_what_to_set_in_the_answer_and_in_one_line_of_the_log(web):
    before = web.log.read_text()
    status, _, body = web.get("/api/v2/symbols/", Host="prices.example:8000")
    assert (status, json.loads(body)["code"]) == (400, "unknown_host")
    assert "ALLOWED_HOSTS=prices.example" in json.loads(body)["detail"]
    told = web.log.read_text().removeprefix(before)
    assert len([line for line in told.splitlines() if "prices.example" in line]) == 1
    assert "Traceback" not in told


def test_what_a_client_got_wrong_is_not_a_warning_on_the_console(web):
    before = web.log.read_text()
    assert web.get("/nothing/here")[0] == 404
    assert web.get("/api/v2/bars/?interval=2d")[0] in (400, 404)
    assert web.log.read_text() == before


def test_every_address_of_this_machine_is_answered_where_the_web_listens_on_all():
    with running("manage.py", "web", HOST="0.0.0.0") as everywhere:
        for host in addresses.own_hosts():
            assert everywhere.get("/nothing/here", Host=f"{host}:8000")[0] == 404


def test_a_file_is_served_with_an_etag_and_then_not_again(web):
    status, headers, body = web.get("/static/favicon.svg")
    assert status == 200
    assert body == (ROOT / "static/favicon.svg").read_bytes()
    assert headers["content-type"].startswith("image/svg+xml")
    assert web.get("/static/favicon.svg", **{"If-None-Match": headers["etag"]})[0] == 304
    assert web.get("/static/admin/css/base.css")[0] == 200


@pytest.mark.parametrize("path", ["nothing.css", "../manage.py", "%2e%2e/manage.py", "/etc/passwd", ""])
def test_nothing_beside_the_static_files_is_served(web, path):
    assert web.get(f"/static/{path}")[0] == 404


def test_a_part_of_a_file_can_be_asked_for(web):
    status, _, body = web.get("/static/favicon.svg", Range="bytes=0-9")
    assert (status, body) == (206, (ROOT / "static/favicon.svg").read_bytes()[:10])


def test_a_socket_at_another_path_is_refused(web):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{web.port}/ws/elsewhere", proxy=None)
    assert refused.value.response.status_code == 404


def test_an_inherited_listener_is_served_on():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        command = [sys.executable, "manage.py", "web", "--fd", str(descriptor)]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[descriptor])
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        process.kill()
        process.wait()


def test_sigterm_tells_sockets_why_and_ends_the_process():
    with running("manage.py", "web") as web, connect(f"ws://127.0.0.1:{web.port}/ws/realtime", proxy=None) as client:
        client.recv()
        web.process.send_signal(signal.SIGTERM)
        while (told := json.loads(client.recv(timeout=30)))["type"] == "service_status":
            pass
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=30)
        assert web.process.wait(30) == 0
    assert told["type"] == "server_shutdown"
    assert told["retry_after"] > 0
    assert closed.value.rcvd.code == 4012


def test_sigterm_lets_an_answer_out_and_does_not_wait_for_a_stuck_view(tmp_path):
    with running("manage.py", "web", **SLOW) as web:
        quick, stuck = web.connect(), web.connect()
        quick.sendall(f"GET /blocked?file={tmp_path}/end HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert eventually(lambda: web.gauge("finstage_gate_running") == 1)
        stuck.sendall(b"GET /blocked HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert eventually(lambda: web.gauge("finstage_gate_waiting") == 1)
        web.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: "stopping" in web.log.read_text())
        (tmp_path / "end").touch()
        assert quick.recv(100).startswith(b"HTTP/1.1 200")
        assert web.process.wait(30) == 0
