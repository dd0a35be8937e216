"""One pace for all processes: the limiter and the breaker, on a real Valkey."""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from market.sources.pace import BURST, CLOSED, HALF_OPEN, OPEN, NoSlot, Pace, pausing
from market.sources.pace.measured import Measured
from market.sources.yahoo import ABOUT
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
    pace = Pace("wire", 1000)
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


def test_what_is_no_429_is_probed_sooner_and_each_time_that_fails_later(redis):
    pace, waits = Pace("wire", 1000), []
    for failures in (5, 1, 1, 1, 1):
        for _ in range(failures):
            pace.failed("upstream_down")
        waits.append(_open_for(redis))
        with pytest.raises(NoSlot) as raised:
            pace.wait(longest_seconds=0)
        assert 0 < raised.value.seconds <= round(waits[-1], 1)
        redis.hset("finstage:pace:wire:breaker", "opened_until", 1)
    assert [round(wait, 1) for wait in waits] == [7.5, 15, 30, 60, 120]


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


def test_a_429_halves_the_pace_and_those_that_were_on_their_way_do_not_halve_it_again():
    pace = Pace("wire", 100, cool_down_seconds=0)
    pace.failed("rate_limited", seconds=0.1)
    pace.failed("rate_limited", seconds=0.1)
    assert pace.state().rate == 50
    time.sleep(0.02)
    pace.failed("rate_limited", seconds=0.001)
    assert pace.state().rate == 25


def test_a_provider_that_says_how_long_is_left_alone_so_long(redis):
    pace = _fast()
    pace.failed("rate_limited", retry_after=90)
    assert 85 < _open_for(redis) <= 90


@pytest.mark.parametrize("resumed", [False, True])
def test_how_long_it_wants_to_be_left_alone_counts_during_a_pause_and_after_it(redis, resumed):
    pace = _fast()
    pausing.pause(pace, 60)
    pace.failed("rate_limited", "Too Many Requests", retry_after=900)  # of a request that was on its way
    if resumed:
        assert pausing.resume(pace)
    left = (pace.state().opened_until - datetime.now(UTC)).total_seconds()
    assert 880 < left < 902
    assert (pace.state().is_paused, pace.state().code) == (not resumed, "rate_limited")


def test_what_is_asked_for_in_answer_to_many_at_once_is_not_added_up(redis):
    pace = _fast()
    for _ in range(5):
        pace.failed("rate_limited", retry_after=900)
    assert (pace.state().opened_until - datetime.now(UTC)).total_seconds() < 902


def test_a_slow_answer_slows_down_and_nothing_does_so_without_end():
    pace = Pace("wire", 100)
    pace.slow(4)
    assert pace.state().rate == 80
    for _ in range(40):
        time.sleep(0.002)
        pace.slow(0)
    assert pace.state().rate == 100 / 16


def test_at_half_the_pace_slots_are_twice_as_far_apart(redis):
    pace = Pace("wire", 10, burst=1)
    redis.hset("finstage:pace:wire:health", "share", 0.5)
    pace.wait(longest_seconds=0)
    with pytest.raises(NoSlot):
        pace.wait(longest_seconds=0.12)
    pace.wait(longest_seconds=0.2)


def test_good_answers_bring_the_pace_back_and_silence_does_not(redis):
    pace, health = Pace("wire", 100), "finstage:pace:wire:health"
    long_ago = (redis.time()[0] - 3600) * 1000
    redis.hset(health, mapping={"share": 0.5, "changed_at": long_ago})
    assert pace.state().rate == 50
    pace.succeeded()
    assert pace.state().rate == pytest.approx(55)
    for _ in range(9):
        redis.hset(health, "changed_at", long_ago)
        pace.succeeded()
    assert pace.state().rate == 100


def test_answers_that_come_quickly_bring_it_back_no_sooner(redis):
    pace = Pace("wire", 100)
    pace.slow(4)
    for _ in range(50):
        pace.succeeded()
    assert pace.state().rate < 82


def test_prometheus_reads_what_all_processes_asked_waited_and_were_refused():
    pace = ABOUT.pace()
    for _ in range(BURST + 1):
        pace.wait(longest_seconds=10)
    with pytest.raises(NoSlot):
        pace.wait(longest_seconds=0)
    pace.failed("rate_limited")
    with pytest.raises(NoSlot):
        pace.wait(longest_seconds=10)
    assert _measured("requests_total") == {"": BURST + 1}
    assert _measured("waited_seconds_total")[""] > 0
    assert _measured("refused_total") == {"full": 1, "open": 1}
    assert (_measured("rate"), _measured("allowed")) == ({"": pace.rate / 2}, {"": pace.rate})
    assert _measured("breaker") == {"closed": 0, "half_open": 0, "open": 1}


def _measured(name: str) -> dict[str, float]:
    """A metric of Yahoo, by its reason or state."""
    return {
        each.labels.get("reason") or each.labels.get("state", ""): each.value
        for family in Measured([ABOUT.pace]).collect()
        for each in family.samples
        if each.name == f"finstage_source_{name}" and each.labels["source"] == "yahoo"
    }


def test_its_state_says_what_happened_and_what_may_go(redis):
    pace = _fast()
    assert (pace.state().breaker, pace.state().answered_at, pace.state().asked) == (CLOSED, None, 0)
    for _ in range(3):
        pace.wait(longest_seconds=1)
    pace.succeeded()
    pace.failed("rate_limited", "Yahoo: too many requests")
    opened = pace.state()
    assert (opened.breaker, opened.code, opened.why) == (OPEN, "rate_limited", "Yahoo: too many requests")
    assert opened.limited_at == opened.failed_at >= opened.answered_at
    assert (opened.failed_by, opened.failed_why) == ("rate_limited", "Yahoo: too many requests")
    assert 2 <= opened.asked <= 3
    assert timedelta() < opened.opened_until - opened.limited_at <= timedelta(seconds=0.25)
    time.sleep(0.25)
    assert (pace.state().breaker, pace.state().opened_until) == (HALF_OPEN, None)
    pace.wait(longest_seconds=1)
    pace.succeeded()
    assert (pace.state().breaker, pace.state().code, pace.state().failed_by) == (CLOSED, None, "rate_limited")


def test_requests_of_a_minute_ago_are_counted_no_more(redis):
    pace, health = _fast(), "finstage:pace:wire:health"
    minute = redis.time()[0] // 60
    redis.hset(health, mapping={"minute": minute - 1, "asked": 60, "asked_before": 999})
    assert 0 <= pace.state().asked <= 60
    redis.hset(health, "minute", minute - 2)
    assert pace.state().asked == 0


def _fast() -> Pace:
    return Pace("wire", 1000, cool_down_seconds=0.2)


def _open_for(redis) -> float:
    seconds, microseconds = redis.time()
    return int(redis.hget("finstage:pace:wire:breaker", "opened_until")) / 1000 - seconds - microseconds / 1e6


def _environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "finstage.settings"}
