"""One holder at a time."""

import time

import pytest

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


def test_who_slept_and_finds_the_lease_free_goes_on():
    lease = Lease("it", 0.05)
    lease.take()
    time.sleep(0.1)
    lease.require()
    assert not Lease("it", 60).take()
