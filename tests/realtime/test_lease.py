"""One holder at a time."""

import subprocess
import sys
import time

import pytest
from django.conf import settings

from realtime.lease import Lease, LeaseLost


def test_a_lease_is_held_by_one():
    first, second = Lease("it", 60), Lease("it", 60)
    assert [first.take(), second.take(), first.take()] == [True, False, True]


def test_a_lease_that_is_given_back_is_free():
    first, second = Lease("it", 60), Lease("it", 60)
    first.take()
    second.release()
    assert not second.take()
    first.release()
    assert second.take()


def test_a_lease_that_nobody_renews_ends():
    first, second = Lease("it", 0.05), Lease("it", 60)
    first.take()
    time.sleep(0.1)
    assert second.take()
    with pytest.raises(LeaseLost):
        first.require()


def test_a_lease_that_a_server_with_a_wrong_clock_holds_too_long_is_cut_to_its_length(redis):
    first, second = Lease("it", 0.05), Lease("it", 0.05)
    first.take()
    redis.expire("finstage:lease:it", 86_400)  # its clock was set back by a day
    assert not second.take()
    time.sleep(0.1)
    assert second.take()


def test_who_slept_and_finds_the_lease_free_goes_on():
    lease = Lease("it", 0.05)
    lease.take()
    time.sleep(0.1)
    lease.require()
    assert not Lease("it", 60).take()


TAKE = """
import django
django.setup()
from realtime.lease import Lease
print(Lease("it", 60).take(), flush=True)
input()
"""


@pytest.fixture
def other():
    """Another process of this machine that holds the lease."""
    command = [sys.executable, "-c", TAKE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=settings.BASE_DIR, **pipes) as process:
        assert process.stdout.readline() == b"True\n"
        yield process
        process.kill()


def test_the_lease_of_a_killed_process_of_this_machine_is_free_at_once(other):
    mine = Lease("it", 60)
    assert not mine.take()
    other.kill()
    other.wait()
    assert mine.take()


def test_the_lease_of_another_machine_is_waited_for(redis):
    redis.set("finstage:lease:it", "elsewhere 1 1.0 token", px=60_000)
    assert not Lease("it", 60).take()
