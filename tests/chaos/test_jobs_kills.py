"""Workers killed and frozen in the middle of jobs: nothing is lost and nothing is written twice."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, cycle, islice
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
PLAIN, ISOLATED = "chaos.ingest", "chaos.ingest_isolated"


@pytest.fixture(scope="module")
def whole_ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture
def ground(whole_ground) -> Iterator[Ground]:
    yield whole_ground
    whole_ground.clean()


@dataclass
class Killer:
    """Strikes so often at jobs of this name, whose processes by turns, and counts what becomes of them.

    latest: the part of a job after which no blow falls any more.
    """

    name: str
    victims: Sequence[str]
    rounds: int
    latest: float = 1.0
    lost: int = 0
    twice: int = 0
    early: int = 0
    recoveries: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        p95 = f"{quantile(self.recoveries, 0.95):.1f} s" if self.recoveries else "none"
        return (
            f"{self.name} {self.rounds} times, and {self.early} that ended before the blow: {self.lost} lost, "
            f"{self.twice} rows twice, recovery p95 {p95}, most {max(self.recoveries, default=0):.1f} s"
        )


@dataclass
class Crew:
    """Workers of one thread each, so that whoever kills one strikes at one job; the dead come up again.

    folders: whose code they run, by turns.
    """

    ground: Ground
    size: int
    without: str = ""
    folders: Sequence[Path] = (TODAY,)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        folders = islice(cycle(self.folders), self.size)
        self.workers = self.ground.ready(*(self.ground.worker(1, self.without, folder=each) for each in folders))

    def restore(self) -> None:
        """As a supervisor does."""
        with self._lock:
            self.workers = [self._again(each) if each.has_ended else each for each in self.workers]

    def _again(self, dead: Process) -> Process:
        return self.ground.worker(1, self.without, folder=dead.folder)


def test_jobs_whose_processes_are_killed(ground):
    killers = [Killer(PLAIN, ["main"], times(25)), Killer(ISOLATED, ["main", "child"], times(25))]
    kill_often(ground, killers)
    report(
        f"kill -9 in jobs ({jobs_sample.ROWS:,} rows in {jobs_sample.PARTS} parts)",
        "; ".join(f"{each.name} at a random moment, {' and '.join(each.victims)} by turns" for each in killers),
        f"0 lost, 0 rows twice, recovery p95 ≤ {RECOVERY_SECONDS} s",
        "; ".join(map(str, killers)),
    )
    assert [(each.lost, each.twice) for each in killers] == [(0, 0), (0, 0)]
    assert all(quantile(each.recoveries, 0.95) <= RECOVERY_SECONDS for each in killers)


def test_without_a_reaper_jobs_of_killed_workers_are_lost_and_those_of_killed_processes_are_not(ground):
    blows = [(PLAIN, "main"), (ISOLATED, "main"), (ISOLATED, "child")]
    killers = [Killer(name, [victim], 1, latest=0.5) for name, victim in blows]
    kill_often(ground, killers, without="reaper", patience=15)
    assert [each.lost for each in killers] == [1, 1, 0]


def test_without_an_epitaph_jobs_whose_own_process_is_killed_are_lost(ground):
    killer = Killer(ISOLATED, ["child"], 1, latest=0.5)
    kill_often(ground, [killer], without="epitaph", patience=8)
    assert killer.lost


def test_without_one_transaction_rows_are_written_twice(ground):
    killers = [Killer(name, ["main"], 4) for name in (PLAIN, ISOLATED)]
    kill_often(ground, killers, without="one_transaction")
    assert all(each.twice for each in killers)


def test_workers_of_today_and_of_the_version_before_that_are_killed_beside_each_other(ground):
    killers = [Killer(PLAIN, ["main"], times(4)) for _ in range(2)]
    kill_often(ground, killers, folders=(TODAY, before.folder()))
    report(
        "kill -9 beside workers of the version before",
        "whichever of the two ran the job",
        "0 lost, 0 rows twice",
        "; ".join(map(str, killers)),
    )
    assert [(each.lost, each.twice) for each in killers] == [(0, 0), (0, 0)]


@pytest.mark.parametrize("beside", ["today", "the version before"])
def test_ghosts_write_nothing_whenever_they_wake(ground, beside):
    # Of two versions each is the ghost of each kind.
    rounds = [[WHILE, WHILE, AFTER, AFTER]] if beside == "today" else [[WHILE, AFTER], [WHILE, AFTER]]
    folders = (TODAY, TODAY if beside == "today" else before.folder())
    lost, twice = freeze_often(ground, rounds, folders)
    report(
        f"frozen workers, those who take over of {beside}",
        f"SIGSTOP in a running job, SIGCONT {WHILE} or {AFTER} the second attempt, {sum(map(len, rounds))} times",
        "0 lost, 0 rows twice",
        f"{lost.total()} lost, {twice.total()} rows twice",
    )
    assert (lost.total(), twice.total()) == (0, 0)


def test_without_fencing_ghosts_write_twice(ground):
    _, twice = freeze_often(ground, [[WHILE, AFTER]], without="fencing")
    assert twice[WHILE]
    assert twice[AFTER]


def kill_often(
    ground: Ground,
    killers: Sequence[Killer],
    *,
    without: str = "",
    patience: float = 90,
    folders: Sequence[Path] = (TODAY,),
) -> None:
    """All killers at once, and a worker to spare for each version."""
    crew = Crew(ground, len(killers) + len(folders), without, folders)

    def kill(killer: Killer, seed: float) -> None:
        try:
            _strike(crew, killer, random.Random(seed), patience)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(killers)) as threads:
        seeds = [ground.random.random() for _ in killers]
        list(threads.map(kill, killers, seeds))


def _strike(crew: Crew, killer: Killer, chance: random.Random, patience: float) -> None:
    ground = crew.ground
    whole = _seconds_of_one(ground, killer.name)
    blows = count()
    while (number := next(blows)) - killer.early < killer.rounds:  # a blow behind the job's end counts for none
        asked = jobs.submit(killer.name, {"folder": str(ground.folder)})
        until(_pid_file(ground, asked).exists, 60, *crew.workers)
        time.sleep(chance.uniform(0, whole * killer.latest))
        victim = _victim(ground, asked, killer.victims[number % len(killer.victims)])
        killed_at = timezone.now()
        _kill(victim)
        time.sleep(0.1)
        crew.restore()
        _judge(asked, killed_at, patience, killer)


def freeze_often(
    ground: Ground, rounds: Sequence[Sequence[str]], folders: Sequence[Path] = (TODAY, TODAY), without: str = ""
) -> tuple[Counter, Counter]:
    """In each round so many workers are frozen at once, each with a job. Who has taken one over runs the next one, and
    becomes the next ghost. Returns the rows lost and twice, by when the ghost woke.
    """
    code, lost, twice = cycle(folders), Counter(), Counter()
    holders = _workers(ground, len(rounds[0]), next(code), without)
    for woken in rounds:
        asked = [jobs.submit(PLAIN, {"folder": str(ground.folder)}) for _ in woken]
        until(lambda asked=asked: all(_pid_file(ground, each).exists() for each in asked), 60, *holders)
        time.sleep(ground.random.uniform(0, 0.5))
        ghosts = {each.process.pid: each for each in holders}
        for pid in ghosts:
            os.kill(pid, signal.SIGSTOP)
        theirs = {job.pk: ghosts[_pid_of_worker(job)] for job in asked}
        holders = _workers(ground, len(woken), next(code), without)
        _wake([(theirs[job.pk], job, when) for job, when in zip(asked, woken, strict=True)], holders)
        for job, when in zip(asked, woken, strict=True):
            rows, different = _count(job)
            lost[when] += jobs_sample.ROWS - different
            twice[when] += rows - different
    return lost, twice


def _workers(ground: Ground, count: int, folder: Path, without: str) -> list[Process]:
    return ground.ready(*(ground.worker(1, without, folder=folder) for _ in range(count)))


def _wake(frozen: Sequence[tuple[Process, Job, str]], holders: Sequence[Process]) -> None:
    """Each ghost when its time has come, and let all end what they do."""
    asleep = list(frozen)

    def wake_next() -> bool:
        for each in list(asleep):
            ghost, job, when = each
            row = Job.objects.filter(pk=job.pk)
            if (row.filter(attempt=2) if when == WHILE else row.filter(state__in=Job.ENDED)).exists():
                os.kill(ghost.process.pid, signal.SIGCONT)
                asleep.remove(each)
        return not asleep

    until(wake_next, 90, *holders)
    running = Job.objects.filter(pk__in=[job.pk for _, job, _ in frozen]).exclude(state__in=Job.ENDED)
    until(lambda: not running.exists(), 60, *holders)
    time.sleep(1)  # until those that were asleep are at it again
    until(lambda: not _is_written(), 60, *(ghost for ghost, _, _ in frozen))
    for ghost, _, _ in frozen:
        ghost.kill()


def _is_written() -> bool:
    """Whether somebody's transaction has written rows and goes on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 0")
        return cursor.fetchone()[0] > 0


def _seconds_of_one(ground: Ground, name: str) -> float:
    """From its first line to its end, in a process that has been started before."""
    for _ in range(2):
        done = jobs.wait(jobs.submit(name, {"folder": str(ground.folder)}).pk, 60)
    return done.finished_at.timestamp() - _pid_file(ground, done).stat().st_mtime


def _victim(ground: Ground, asked: Job, kind: str) -> int | None:
    if kind == "child":
        return int(_pid_file(ground, asked).read_text() or 0) or None
    return _pid_of_worker(asked)


def _pid_of_worker(asked: Job) -> int | None:
    worker = Worker.objects.filter(pk=Job.objects.get(pk=asked.pk).worker).first()
    return worker.pid if worker else None


def _kill(pid: int | None) -> None:
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _judge(asked: Job, killed_at: datetime, patience: float, tally: Killer) -> None:
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
        return cursor.fetchone()
