"""`manage.py web` as a process: how it starts, what it loads, how it serves files and how it ends."""

import asyncio
import contextlib
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import brotli
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from finstage import addresses, assets
from realtime.transports.servers import SERVERS
from tests.forks import ROOT
from tests.server import Running, eventually, running

SLOW = {"DJANGO_SETTINGS_MODULE": "tests.finstage.web_settings", "FINSTAGE_HTTP_THREADS": "1"}


@pytest.fixture(scope="module", params=SERVERS)
def web(request):
    with running("manage.py", "web", "--server", request.param) as server:
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


@pytest.mark.parametrize("chosen", [{"arguments": ["--server", "gunicorn"]}, {"FINSTAGE_SERVER": "gunicorn"}])
def test_an_unknown_server_is_one_sentence_that_names_those_there_are(chosen):
    arguments = chosen.pop("arguments", [])
    command = [sys.executable, "manage.py", "web", *arguments]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **chosen}, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert "gunicorn" in (said := ended.stderr.strip().splitlines()[-1])
    assert all(name in said for name in SERVERS)


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


def test_an_answer_with_a_cookie_is_given_whatever_serves_it(web):
    status, headers, _ = web.get("/login/")
    assert status == 200
    assert headers["set-cookie"].startswith("csrftoken=")


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


def test_a_text_is_smaller_for_who_takes_gzip_under_an_etag_of_its_own(web):
    path, plain = "/static/components/frame.css", (ROOT / "static/components/frame.css").read_bytes()
    _, whole, body = web.get(path)
    _, small, compressed = web.get(path, **{"Accept-Encoding": "br;q=0, gzip;q=0.8"})
    assert (body, gzip.decompress(compressed)) == (plain, assets.uncommented(plain))
    assert len(compressed) < len(plain) / 3
    assert (whole["vary"], small["vary"], small["content-encoding"]) == ("Accept-Encoding", "Accept-Encoding", "gzip")
    assert whole["etag"] != small["etag"]
    known = {"Accept-Encoding": "gzip", "If-None-Match": small["etag"]}
    assert web.get(path, **known)[0] == 304
    refusing = {"Accept-Encoding": "gzip;q=0, *"}
    assert "content-encoding" not in web.get(path, **refusing)[1]


def test_a_text_is_smaller_still_for_who_takes_brotli_and_is_never_mixed_with_the_other_form(web):
    path, plain = "/static/components/frame.css", (ROOT / "static/components/frame.css").read_bytes()
    by_gzip, by_brotli = ({"Accept-Encoding": each} for each in ("gzip", "gzip, deflate, br, zstd"))
    (_, other, larger), (_, small, smaller) = web.get(path, **by_gzip), web.get(path, **by_brotli)
    assert (small["content-encoding"], small["content-length"]) == ("br", str(len(smaller)))
    assert brotli.decompress(smaller) == assets.uncommented(plain)
    assert len(smaller) < 0.95 * len(larger)
    known = {"If-None-Match": small["etag"]}
    assert [web.get(path, **by_brotli, **known)[0], web.get(path, **by_gzip, **known)[0]] == [304, 200]
    assert web.get(path, **by_gzip, **known)[1]["etag"] == other["etag"]


def test_a_file_is_compressed_once_for_all_who_ask_at_once_also_where_one_of_them_leaves(monkeypatch):
    made = []
    monkeypatch.setattr(assets, "_compress", lambda path, form: made.append(form) or time.sleep(0.1) or b"small")
    scope = {"path": "/static/components/frame.css", "method": "GET", "headers": [(b"accept-encoding", b"br")]}

    async def ask() -> list:
        served = assets.Assets()
        asked = [asyncio.ensure_future(served(scope)) for _ in range(20)]
        await asyncio.sleep(0.05)
        asked[0].cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    left, *others = asyncio.run(ask())
    assert (made, type(left)) == (["br"], asyncio.CancelledError)
    assert {answer.body.read() for answer in others} == {b"small"}


def test_a_script_comes_without_its_comments_and_with_the_same_lines(web):
    path = "static/components/page.js"
    came = gzip.decompress(web.get(f"/{path}", **{"Accept-Encoding": "gzip"})[2]).decode().splitlines()
    lines = (ROOT / path).read_text().splitlines()
    assert len(came) == len(lines)
    assert {line for line, other in zip(lines, came, strict=True) if line != other and other} == set()
    assert not [line for line in came if line.lstrip().startswith(("//", "/*", "*"))]
    licence = gzip.decompress(web.get("/static/vendor/lightweight-charts/lightweight-charts.standalone.production.mjs",
                                      **{"Accept-Encoding": "gzip"})[2])  # fmt: skip
    assert b"Apache License" in licence[:500]


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in sorted((ROOT / "static").rglob("*.js"))])
def test_what_goes_with_the_comments_is_never_a_part_of_a_text(path):
    """A line that begins as a comment does is none within a text of several lines."""
    script = (ROOT / path).read_bytes()
    texts = re.findall(rb"`(?:\\.|[^`\\])*`", assets.uncommented(script))
    assert [text for text in texts if text not in script] == []
    assert assets.uncommented(script).count(b"`") % 2 == 0


def test_the_head_of_a_file_is_small(web):
    head = web.get("/static/components/page.js", **{"Accept-Encoding": "gzip"})[1]
    of_any_server = {"date", "connection"}
    needed = {"content-type", "content-length", "content-encoding", "vary", "etag"}
    assert {*head.keys()} - of_any_server == needed | {"cache-control", "x-content-type-options"}
    assert (head["cache-control"], head["x-content-type-options"]) == ("no-cache", "nosniff")


def test_a_part_of_a_text_is_one_of_its_plain_form(web):
    asked = {"Range": "bytes=0-9", "Accept-Encoding": "gzip"}
    status, headers, body = web.get("/static/components/frame.css", **asked)
    assert (status, body) == (206, (ROOT / "static/components/frame.css").read_bytes()[:10])
    assert headers["etag"] == web.get("/static/components/frame.css")[1]["etag"]


@pytest.mark.parametrize("path", ["/icon.png", "/favicon.ico"])
def test_the_icon_is_at_the_root_too(web, path):
    status, headers, body = web.get(path)
    assert (status, headers["content-type"]) == (200, "image/png")
    assert body == (ROOT / "static/icon.png").read_bytes()


def test_finstage_can_be_installed(web):
    status, headers, body = web.get("/static/manifest.webmanifest")
    assert (status, headers["content-type"]) == (200, "application/manifest+json")
    for icon in json.loads(body)["icons"]:
        assert web.get(f"/static/{icon['src']}")[0] == 200


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


@pytest.mark.parametrize("server", SERVERS)
def test_sigterm_tells_sockets_why_and_ends_the_process(server):
    with (
        running("manage.py", "web", FINSTAGE_SERVER=server) as web,
        connect(f"ws://127.0.0.1:{web.port}/ws/realtime", proxy=None) as client,
    ):
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


@pytest.mark.parametrize("server", SERVERS)
def test_sigterm_tells_everybody_to_come_back_one_after_another(server):
    with running("manage.py", "web", "--server", server) as web, contextlib.ExitStack() as sockets:
        url = f"ws://127.0.0.1:{web.port}/ws/realtime"
        clients = [sockets.enter_context(connect(url, proxy=None)) for _ in range(60)]
        web.process.send_signal(signal.SIGTERM)
        told = [until_it_ends(client) for client in clients]
        assert web.process.wait(30) == 0
    waits = {each["retry_after"] for each in told if each["type"] == "server_shutdown"}
    assert len(waits) == 60
    assert max(waits) - min(waits) > 0.5
    assert {client.close_code for client in clients} == {4012}


def until_it_ends(client: ClientConnection) -> dict:
    """The last message."""
    said = []
    with contextlib.suppress(ConnectionClosed):
        said += iter(lambda: client.recv(timeout=30), None)
    return json.loads(said[-1])


def _refuses(web: Running) -> bool:
    try:
        web.connect().close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("server", SERVERS)
def test_sigterm_lets_an_answer_out_and_does_not_wait_for_a_stuck_view(server, tmp_path):
    with running("manage.py", "web", "--server", server, **SLOW) as web:
        quick, stuck = web.connect(), web.connect()
        quick.sendall(f"GET /blocked?file={tmp_path}/end HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert eventually(lambda: web.gauge("finstage_gate_running") == 1)
        stuck.sendall(b"GET /blocked HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert eventually(lambda: web.gauge("finstage_gate_waiting") == 1)
        web.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: "stopping" in web.log.read_text())
        assert eventually(lambda: _refuses(web))
        (tmp_path / "end").touch()
        assert quick.recv(100).startswith(b"HTTP/1.1 200")
        assert web.process.wait(30) == 0
