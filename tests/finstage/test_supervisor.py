"""The supervisor by itself, with small programs as its parts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from finstage import plan, processes
from finstage.console import Console
from finstage.plan import Part, Plan
from finstage.supervisor import PLAN
from tests.conftest import free_port

# What the supervisor waits for before it says where Finstage is.
WEB = """
import http.server, sys
class Live(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", {port}), Live).serve_forever()
"""
FOREVER = "import time; time.sleep(60)"


def supervise(folder: Path, *stages: list[Part], port: int | None = None) -> subprocess.Popen:
    work = Plan(
        stages=list(stages),
        folder=os.getcwd(),
        register=str(folder / "up.json"),
        host="127.0.0.1",
        port=port or free_port(),
        elsewhere=["http://192.0.2.7:8000/", "http://laptop:8000/"],
    )
    return subprocess.Popen(
        [sys.executable, "-m", "finstage.supervisor"],
        # Buffered, as a newcomer's Python is: an unbuffered one has nothing left to write at its exit.
        env={**{name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}, PLAN: plan.write(work)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def python(name: str, code: str, *, is_once: bool = False) -> Part:
    return Part(name, [sys.executable, "-c", code], is_once=is_once)


def first_line(running: subprocess.Popen, start: str) -> str:
    return next(line for line in running.stdout if line.startswith(start))


def test_a_plan_survives_its_way_to_the_supervisor():
    work = Plan([[Part("web", ["web"], socket="s")]], "/", "/up.json", "::", 8000)
    assert plan.read(plan.write(work)) == work
    assert work.address == "http://[::1]:8000/"


def test_a_plan_of_another_version_is_read_as_far_as_it_is_known():
    work = Plan([[Part("web", ["web"])]], "/", "/up.json", "::", 8000)
    given = json.loads(plan.write(work))
    given |= {"elsewhere": [], "theme": "dark", "stages": [[{"name": "web", "command": ["web"], "nice": 5}]]}
    assert plan.read(json.dumps(given)) == work


@pytest.mark.parametrize("text", ["", "[]", '{"1": {"began": 5}}', '{"web": 12.5}', "\x80"])
def test_a_register_that_another_version_wrote_stops_no_start(tmp_path, text, capsys):
    (tmp_path / "up.json").write_text(text, encoding="latin1")
    assert processes.Register(tmp_path / "up.json").end(seconds=1) == 0
    assert "up.json" in capsys.readouterr().err


def test_every_line_bears_the_name_of_its_part(tmp_path):
    running = supervise(tmp_path, [python("feed", f"print('one', flush=True); {FOREVER}")])
    assert first_line(running, "feed") == "feed | one\n"
    running.terminate()
    assert running.wait(50) == 0


def test_the_addresses_for_other_machines_are_printed(tmp_path):
    port = free_port()
    running = supervise(tmp_path, [python("web", WEB.format(port=port))], port=port)
    lines = [running.stdout.readline() for _ in range(3)]
    assert "From other machines: http://192.0.2.7:8000/ http://laptop:8000/\n" in lines
    running.terminate()
    assert running.wait(50) == 0


def test_a_preparation_that_fails_ends_all_with_its_own_words(tmp_path):
    stages = [python("first", FOREVER)], [python("prepare", "import sys; sys.exit('No room.')", is_once=True)]
    running = supervise(tmp_path, *stages)
    _, said = running.communicate(timeout=50)
    assert running.returncode == 1
    assert said == "No room.\n"


def test_a_part_that_does_not_heed_is_killed(tmp_path):
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "
    running = supervise(tmp_path, [python("feed", code + FOREVER)])
    first_line(running, "feed")
    [deaf] = psutil.Process(running.pid).children()
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    assert running.wait(50) == 0
    assert not deaf.is_running()


def test_a_part_ends_with_what_it_started(tmp_path):
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); "
    running = supervise(tmp_path, [python("feed", code + FOREVER)])
    grandchild = psutil.Process(int(first_line(running, "feed").split()[-1]))
    running.terminate()
    running.wait(50)
    psutil.wait_procs([grandchild], timeout=50)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_nobody_reading_any_more_ends_nothing(tmp_path):
    code = "import time\nwhile True: print('tick', flush=True); time.sleep(0.01)"
    running = supervise(tmp_path, [python("feed", code)])
    first_line(running, "feed")
    running.stdout.close()
    time.sleep(0.3)
    assert running.poll() is None
    running.terminate()
    assert running.wait(50) == 0


def test_a_process_that_got_an_old_id_is_not_ended(tmp_path):
    stranger = subprocess.Popen([sys.executable, "-c", FOREVER])
    began = psutil.Process(stranger.pid).create_time() - 3600
    (tmp_path / "up.json").write_text(f'{{"{stranger.pid}": {began}}}')
    assert processes.Register(tmp_path / "up.json").end(seconds=1) == 0
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_part_that_cannot_be_started_is_tried_again_and_the_others_run(tmp_path):
    program = tmp_path / "program"
    running = supervise(
        tmp_path, [Part("worker", [str(program)]), python("feed", f"print('one', flush=True); {FOREVER}")]
    )
    told = first_line(running, "up")
    assert told.startswith("up     | worker can't be started: [Errno 2]")
    program.write_text("#!/bin/sh\necho here\nsleep 60\n")
    program.chmod(0o700)
    assert {first_line(running, "feed"), first_line(running, "worker")} == {"feed   | one\n", "worker | here\n"}
    running.terminate()
    assert running.wait(10) == 0


def test_a_full_disk_does_not_end_the_parts(tmp_path):
    """The register cannot be written, here because a folder lies in its place."""
    (tmp_path / "up.new").mkdir()
    running = supervise(tmp_path, [python("feed", f"print('one', flush=True); {FOREVER}")])
    assert first_line(running, "feed") == "feed | one\n"
    running.terminate()
    assert running.wait(10) == 0
    assert "up: skipped 'up.json'" in running.stderr.read()


def test_who_watches_shows_it_and_is_missed(tmp_path):
    running = supervise(tmp_path, [python("feed", f"print('one', flush=True); {FOREVER}")])
    first_line(running, "feed")
    register = processes.Register(tmp_path / "up.json")
    assert register.trouble() is None
    running.send_signal(signal.SIGSTOP)
    os.utime(tmp_path / "up.json", times=(time.time() - 60, time.time() - 60))
    assert register.trouble().startswith("up: no sign of life for 60 s")
    running.send_signal(signal.SIGCONT)
    until(lambda: register.trouble() is None)
    running.terminate()
    assert running.wait(10) == 0
    assert register.trouble() is None


def test_an_output_that_breaks_hides_no_other():
    console, seen = Console(4), []
    readers = [os.pipe() for _ in range(2)]
    console.watch(readers[0][0], lambda: [].pop())
    console.watch(readers[1][0], lambda: seen.append(os.read(readers[1][0], 9)))
    for _, writer in readers:
        os.write(writer, b"one")
    console.wait(1)
    assert seen == [b"one"]
    os.write(readers[1][1], b"two")
    console.wait(1)
    assert seen == [b"one", b"two"]


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
