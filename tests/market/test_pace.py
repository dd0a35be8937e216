"""One pace for all processes: the limiter and the breaker, on a real Valkey."""

import os
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings

from market.sources.pace import NoSlot, Pace
from monitoring import jobs
from monitoring.jobs.errors import Cancelled
from monitoring.jobs.running import context
from monitoring.jobs.running.context import Current

CHILD = """
import sys, time, django
django.setup()
from market.sources.pace import Pace
pace = Pace("wire", 20, burst=1)
for _ in range(10):
    pace.wait(longest_seconds=30)
    print(time.time())
"""


def test_two_processes_share_one_pace():
    command = [sys.executable, "-c", CHILD]
    children = [
        subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, env=_environment()) for _ in range(2)
    ]
    left_at = sorted(float(line) for child in children for line in child.communicate(timeout=60)[0].split())
    assert len(left_at) == 20
    # Twenty requests at twenty a second; a process may be late to wake, but none leaves before its slot.
    assert left_at[-1] - left_at[0] > 19 / 20 - 0.05


def test_a_burst_leaves_at_once_and_the_next_has_to_wait():
    pace = Pace("wire", 0.1, burst=3)
    for _ in range(3):
        pace.wait(longest_seconds=0)
    with pytest.raises(NoSlot) as raised:
        pace.wait(longest_seconds=0)
    assert (raised.value.code, raised.value.temporary) == ("rate_limited", True)


@pytest.mark.django_db
def test_a_job_that_waits_for_a_slot_can_be_stopped():
    pace, asked = Pace("wire", 0.01, burst=1), Current(jobs.submit("monitoring.retention"))
    pace.wait(longest_seconds=0)
    threading.Timer(0.3, asked.stop, ["cancelled"]).start()
    began = time.monotonic()
    with context.entered(asked), pytest.raises(Cancelled):
        pace.wait(longest_seconds=1000)
    assert time.monotonic() - began < 50  # of 100


def test_a_refused_caller_takes_no_slot():
    pace = Pace("wire", 5, burst=1)
    pace.wait(longest_seconds=0)
    for _ in range(50):
        with pytest.raises(NoSlot):
            pace.wait(longest_seconds=0)
    pace.wait(longest_seconds=0.3)


def test_a_429_stops_all_requests_at_once():
    pace = _fast()
    pace.failed("rate_limited")
    with pytest.raises(NoSlot) as raised:
        _fast().wait(longest_seconds=10)
    assert raised.value.code == "rate_limited"


def test_five_failures_in_a_row_stop_all_requests():
    pace = _fast()
    for _ in range(4):
        pace.failed("upstream_down")
    pace.wait(longest_seconds=0)
    pace.failed("upstream_down")
    with pytest.raises(NoSlot) as raised:
        pace.wait(longest_seconds=0)
    assert raised.value.code == "upstream_down"


def test_a_success_forgets_the_failures_before_it():
    pace = _fast()
    for _ in range(4):
        pace.failed("upstream_down")
    pace.succeeded()
    pace.failed("upstream_down")
    pace.wait(longest_seconds=0)


def test_after_the_cool_down_one_probe_goes_and_its_success_lets_all_go():
    pace = _fast()
    pace.failed("rate_limited")
    time.sleep(0.25)
    pace.wait(longest_seconds=0)
    with pytest.raises(NoSlot):
        pace.wait(longest_seconds=0)
    pace.succeeded()
    pace.wait(longest_seconds=0)


def test_a_probe_that_fails_makes_the_cool_down_grow(redis):
    pace = _fast()
    waits = []
    for _ in range(3):
        pace.failed("rate_limited")
        waits.append(_open_for(redis))
        redis.hset("finstage:pace:wire:breaker", "opened_until", 1)
    assert [round(wait, 1) for wait in waits] == [0.2, 0.4, 0.8]


def test_what_a_servers_wrong_clock_put_off_until_tomorrow_is_not_waited_for(redis):
    tomorrow = (redis.time()[0] + 86_400) * 1000
    redis.set("finstage:pace:wire:bucket", tomorrow)
    _fast().wait(longest_seconds=0)
    _fast().failed("rate_limited")
    redis.hset("finstage:pace:wire:breaker", mapping={"opened_until": tomorrow, "probe_until": tomorrow})
    _fast().wait(longest_seconds=0)


def test_late_failures_of_requests_on_their_way_do_not_prolong_it(redis):
    pace = _fast()
    pace.failed("rate_limited")
    before = redis.hget("finstage:pace:wire:breaker", "opened_until")
    pace.failed("rate_limited")
    assert redis.hget("finstage:pace:wire:breaker", "opened_until") == before


def _fast() -> Pace:
    return Pace("wire", 1000, cool_down_seconds=0.2)


def _open_for(redis) -> float:
    seconds, microseconds = redis.time()
    return int(redis.hget("finstage:pace:wire:breaker", "opened_until")) / 1000 - seconds - microseconds / 1e6


def _environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "finstage.settings"}
