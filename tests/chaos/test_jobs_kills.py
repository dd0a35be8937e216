"""Workers killed and frozen in the middle of jobs: nothing is lost and nothing is written twice."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from monitoring import jobs
from monitoring.models import Job, Worker
from tests.chaos import jobs_ground, jobs_sample
from tests.chaos.jobs_ground import TODAY, Ground, Process, quantile, report, until
from tests.chaos.scale import times
from tests.versions import before

pytestmark = pytest.mark.chaos
RECOVERY_SECONDS = 20
WHILE, AFTER = "during", "after"  # the second attempt: when a ghost wakes


@pytest.fixture(scope="module")
def whole_ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture
def ground(whole_ground) -> Iterator[Ground]:
    yield whole_ground
    whole_ground.clean()


class Tally:
    """What became of the rounds."""

    def __init__(self) -> None:
        self.rounds = self.lost = self.twice = self.early = 0
        self.recoveries: list[float] = []

    def __str__(self) -> str:
        p95 = f"{quantile(self.recoveries, 0.95):.1f} s" if self.recoveries else "none"
        return (
            f"{self.rounds} rounds ({self.early} ended before the blow), {self.lost} lost, {self.twice} rows twice, "
            f"recovery p95 {p95}, most {max(self.recoveries, default=0):.1f} s"
        )


@pytest.mark.parametrize(
    ("name", "victims"), [("chaos.ingest", ["main"]), ("chaos.ingest_isolated", ["main", "child"])]
)
def test_jobs_whose_processes_are_killed(ground, name, victims):
    tally = kill_often(ground, name, times(25), victims)
    report(
        f"kill -9 in {name} ({jobs_sample.ROWS:,} rows in {jobs_sample.PARTS} parts)",
        f"{tally.rounds} times at a random moment, {' and '.join(victims)} by turns",
        f"0 lost, 0 rows twice, recovery p95 ≤ {RECOVERY_SECONDS} s",
        str(tally),
    )
    assert (tally.lost, tally.twice) == (0, 0)
    assert quantile(tally.recoveries, 0.95) <= RECOVERY_SECONDS


@pytest.mark.parametrize("name", ["chaos.ingest", "chaos.ingest_isolated"])
def test_without_a_reaper_jobs_of_killed_workers_are_lost(ground, name):
    assert kill_often(ground, name, 1, ["main"], latest=0.5, without="reaper", patience=15).lost


@pytest.mark.parametrize("name", ["chaos.ingest", "chaos.ingest_isolated"])
def test_without_one_transaction_rows_are_written_twice(ground, name):
    assert kill_often(ground, name, 4, ["main"], without="one_transaction").twice


@pytest.mark.parametrize(("without", "lost"), [("reaper", 0), ("epitaph", 1)])
def test_without_an_epitaph_jobs_whose_own_process_is_killed_are_lost(ground, without, lost):
    tally = kill_often(ground, "chaos.ingest_isolated", 1, ["child"], latest=0.5, without=without, patience=15)
    assert tally.lost == lost


def test_workers_of_today_and_of_the_version_before_that_are_killed_beside_each_other(ground):
    tally = kill_often(ground, "chaos.ingest", times(8), ["main"], folders=(TODAY, before.folder()))
    report(
        "kill -9 beside a worker of the version before",
        f"{tally.rounds} times whichever of the two ran the job",
        "0 lost, 0 rows twice",
        str(tally),
    )
    assert (tally.lost, tally.twice) == (0, 0)


@pytest.mark.parametrize("beside", ["today", "the version before"])
def test_ghosts_write_nothing_whenever_they_wake(ground, beside):
    woken = [WHILE, WHILE, AFTER, AFTER]  # so that of two versions each is the ghost of each kind
    folders = (TODAY, TODAY if beside == "today" else before.folder())
    lost, twice = freeze_often(ground, woken, folders)
    report(
        f"frozen workers, the other of {beside}",
        f"SIGSTOP in a running job, SIGCONT {' or '.join(sorted(set(woken)))} the second attempt, {len(woken)} times",
        "0 lost, 0 rows twice",
        f"{lost} lost, {twice} rows twice",
    )
    assert (lost, twice) == (0, 0)


@pytest.mark.parametrize("woken", [WHILE, AFTER])
def test_without_fencing_ghosts_write_twice(ground, woken):
    assert freeze_often(ground, [woken], without="fencing")[1]


def kill_often(
    ground: Ground,
    name: str,
    rounds: int,
    victims: list[str],
    *,
    latest: float = 1.0,
    without: str = "",
    patience: float = 90,
    folders: Sequence[Path] = (TODAY, TODAY),
) -> Tally:
    """latest: the part of a job after which no blow falls any more. folders: whose code the two workers run."""
    workers = [ground.ready_worker(2, without, folder=folder) for folder in folders]
    whole = _seconds_of_one(ground, name)
    tally = Tally()
    for number in range(rounds):
        asked = jobs.submit(name, {"folder": str(ground.folder)})
        until(lambda asked=asked: _pid_file(ground, asked).exists(), 30, *workers)
        time.sleep(ground.random.uniform(0, whole * latest))
        victim = _victim(ground, asked, victims[number % len(victims)])
        killed_at = timezone.now()
        _kill(victim)
        workers = _replaced(ground, workers, without)
        _judge(asked, killed_at, patience, tally)
    return tally


def freeze_often(
    ground: Ground, woken: Sequence[str], folders: Sequence[Path] = (TODAY, TODAY), without: str = ""
) -> tuple[int, int]:
    """Who has taken a job over runs the next one, and becomes the next ghost. Returns the rows lost and twice."""
    code, lost, twice = cycle(folders), 0, 0
    holder = ground.ready_worker(2, without, folder=next(code))
    for when in woken:
        asked = jobs.submit("chaos.ingest", {"folder": str(ground.folder)})
        until(lambda asked=asked: _pid_file(ground, asked).exists(), 30, holder)
        time.sleep(ground.random.uniform(0, 0.5))
        ghost = holder
        os.kill(ghost.process.pid, signal.SIGSTOP)
        holder = ground.ready_worker(2, without, folder=next(code))
        _wake(ghost, asked, when, holder)
        rows, different = _count(asked)
        lost += different < jobs_sample.ROWS
        twice += rows - different
    return lost, twice


def _wake(ghost: Process, asked: Job, when: str, holder: Process) -> None:
    """And let both end what they do."""
    row = Job.objects.filter(pk=asked.pk)
    begun, ended = row.filter(attempt=2), row.filter(state__in=Job.ENDED)
    until((begun if when == WHILE else ended).exists, 60, holder)
    os.kill(ghost.process.pid, signal.SIGCONT)
    until(ended.exists, 60, ghost, holder)
    time.sleep(5)  # so long a ghost could still be at it
    ghost.kill()


def _seconds_of_one(ground: Ground, name: str) -> float:
    """From its first line to its end, in a process that has been started before."""
    for _ in range(2):
        done = jobs.wait(jobs.submit(name, {"folder": str(ground.folder)}).pk, 60)
    return done.finished_at.timestamp() - _pid_file(ground, done).stat().st_mtime


def _victim(ground: Ground, asked: Job, kind: str) -> int | None:
    if kind == "child":
        return int(_pid_file(ground, asked).read_text() or 0) or None
    worker = Worker.objects.filter(pk=Job.objects.get(pk=asked.pk).worker).first()
    return worker.pid if worker else None


def _kill(pid: int | None) -> None:
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _replaced(ground: Ground, workers: list[Process], without: str) -> list[Process]:
    """As a supervisor does: a worker that died comes up again, while the other goes on."""
    time.sleep(0.1)
    dead = [each for each in workers if each.process.poll() is not None]
    return [each for each in workers if each not in dead] + [
        ground.worker(2, without, folder=each.folder) for each in dead
    ]


def _judge(asked: Job, killed_at, patience: float, tally: Tally) -> None:
    tally.rounds += 1
    try:
        done = jobs.wait(asked.pk, patience)
    except TimeoutError:
        tally.lost += 1
        return
    if done.attempt == 1:
        tally.early += 1
    else:
        tally.recoveries.append((done.started_at - killed_at).total_seconds())
    rows, different = _count(asked)
    tally.lost += done.state != "completed" or different < jobs_sample.ROWS
    tally.twice += rows - different


def _pid_file(ground: Ground, asked: Job) -> Path:
    return ground.folder / f"{asked.pk}.pid"


def _count(asked: Job) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*), COUNT(DISTINCT symbol, day) FROM chaos_bars WHERE job = %s", [str(asked.pk)])
        counted = cursor.fetchone()
        cursor.execute("DELETE FROM chaos_bars WHERE job = %s", [str(asked.pk)])
    return counted
