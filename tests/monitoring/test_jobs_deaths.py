"""What dies and what lives on: workers, isolated processes, brokers. Real processes, killed for real."""

import os
import signal
import socket
import time

import pytest
from celery import current_app
from django.conf import settings

from monitoring import jobs
from monitoring.models import Job, Worker
from tests.monitoring import sample_jobs
from tests.monitoring.conftest import is_alive, until
from tests.monitoring.ledger import state

pytestmark = pytest.mark.db


@pytest.fixture
def worker(start_worker):
    """The only worker there is, so that it is the one that runs the job."""
    return start_worker()


def test_a_job_goes_on_with_another_worker_when_its_own_is_killed(start_worker, tmp_path):
    first = start_worker()
    asked = jobs.submit("sample.save_slowly", {"name": "on", "path": str(tmp_path / "begun"), "seconds": 50})
    until((tmp_path / "begun").exists)
    first.kill()
    start_worker()
    done = jobs.wait(asked.pk, 60)
    assert (done.state, done.attempt) == ("completed", 2)
    assert [(each.outcome, each.error_code) for each in done.attempts.all()] == [("lost", "worker_lost")]


def test_a_job_that_kills_its_worker_is_put_into_quarantine_and_kills_no_second_one(start_worker, tmp_path):
    first, second = start_worker(), start_worker()
    done = jobs.wait(jobs.submit("sample.poison", {"path": str(tmp_path / "pids")}).pk, 60)
    assert (done.state, done.attempt) == ("failed", 3)
    assert done.error_code == "process_died_9"
    assert sum(each.process.poll() is None for each in (first, second)) == 1


def test_an_isolated_process_dies_with_its_worker(start_worker):
    worker = start_worker()
    asked = jobs.submit("sample.isolated_pid", {"path": str(worker.log.with_suffix(".pid"))})
    path = worker.log.with_suffix(".pid")
    until(path.exists)
    until(lambda: path.read_text().endswith("\n"))
    worker.kill()
    until(lambda: not is_alive(int(path.read_text())))
    assert state(asked) == "running"


def test_a_killed_isolated_process_is_tried_again(worker, tmp_path):
    path = tmp_path / "pid"
    asked = jobs.submit("sample.isolated_pid", {"path": str(path)}, timeout=30)
    until(lambda: path.exists() and path.read_text().endswith("\n"))
    os.kill(int(path.read_text()), signal.SIGKILL)
    until(lambda: Job.objects.get(pk=asked.pk).attempt == 2)
    assert asked.attempts.get().error_code == "process_died_9"
    jobs.cancel(asked.pk)
    jobs.wait(asked.pk, 60)


def test_a_worker_that_is_stopped_gives_its_jobs_back(start_worker):
    first = start_worker()
    asked = jobs.submit("sample.deaf", {"seconds": 40})
    until(lambda: state(asked) == "running")
    first.process.send_signal(signal.SIGTERM)
    first.process.wait(120)
    again = Job.objects.get(pk=asked.pk)
    assert (again.state, again.error_code) == ("retrying", "released")
    assert Worker.objects.get(pid=first.process.pid).stopped_at


def test_a_frozen_worker_loses_its_job_and_may_not_write_when_it_thaws(start_worker, tmp_path):
    first = start_worker()
    asked = jobs.submit("sample.save_slowly", {"name": "once", "path": str(tmp_path / "begun")})
    until((tmp_path / "begun").exists)
    os.kill(first.process.pid, signal.SIGSTOP)
    start_worker()
    until(lambda: Job.objects.get(pk=asked.pk).attempt == 2, 120)
    os.kill(first.process.pid, signal.SIGCONT)
    assert jobs.wait(asked.pk, 60).attempt == 2
    time.sleep(2)  # the thawed one tries to write now
    assert sample_jobs.JobTemplate.objects.filter(name__startswith="once").count() == 1


def test_submitting_waits_for_no_broker_that_hangs_and_the_job_runs_all_the_same(worker, deaf_broker):
    begun = time.monotonic()
    asked = jobs.submit("sample.add", {"a": 1})
    assert time.monotonic() - begun < settings.CELERY_BROKER_TRANSPORT_OPTIONS["socket_timeout"] / 2
    assert jobs.wait(asked.pk, 60).state == "completed"


@pytest.fixture
def deaf_broker():
    """This process's doorbell leads to a server that takes connections and never answers."""
    app, url = current_app, current_app.conf.broker_url
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        app.conf.broker_url = app.conf.broker_write_url = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        app._after_fork()  # forgets its connections
        yield
    app.conf.broker_url = app.conf.broker_write_url = url
    app._after_fork()  # forgets its connections
