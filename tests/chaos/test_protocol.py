"""`make chaos protocol`: an hour of replay as fast as it goes, through the sockets of a whole site: every frame in
either direction is held against the schema that the site tells, and every action and message of it occurs.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Self

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from realtime import messages
from realtime.kinds import KINDS
from tests.browser import site as sites
from tests.browser.site import Site
from tests.chaos.jobs_ground import report
from tests.chaos.scale import SCALE, times
from tests.spoken import Talk

pytestmark = [pytest.mark.chaos]

SESSIONS = times(180)  # an hour, at the 20 s that a session takes where nothing else is said
SESSION_SECONDS = 2.5 if SCALE >= 1 else 0.5
START = "2012-12-03" if SCALE >= 1 else "2013-02-27"  # the recording ends on 2013-03-01, and rewinds
LONGEST_SECONDS = 540 if SCALE >= 1 else 100
A_TURN_SECONDS = 1.0
# Types that can't occur, and why.
ABSENT = {kind.message: "nobody publishes it yet" for kind in KINDS.values() if not kind.is_published}
if SCALE < 1:  # a worker finds them between two sessions, the first of a pass for the whole history
    ABSENT["signal"] = "sessions and passes are too short"

REPLAYED = [
    {"action": "replay", "symbols": ["AAPL"], "start": "2012-09-04", "end": "2012-09-05", "speed": 100_000},
    {"action": "pause"}, {"action": "resume"}, {"action": "seek", "to": "2012-09-04"}, {"action": "stop"},
]  # fmt: skip
WRONG = ["{", "[]", '{"action": "dance"}', '{"action": "subscribe", "type": "prices", "symbols": 1, "id": 9}']
ASKED = [
    {"action": "ping", "id": 1},
    {"action": "get_current_prices", "symbols": ["AAPL", "NONE"]},
    {"action": "get_history", "symbol": "MSFT", "limit": 20, "id": "h"},
    {"action": "unsubscribe", "type": "bars", "symbols": ["IBM"]},
    {"action": "subscribe", "type": "bars", "symbols": ["IBM"], "interval": "1d"},
    {"action": "subscribe", "type": "indicators", "symbols": ["AAPL"], "indicators": ["sma_7"]},
    {"action": "subscribe", "type": "news"},
]
PLAYED = "AAPL"
GONE = {"alerts:AAPL": {"epoch": "gone", "seq": 1}}


class Speaker(threading.Thread):
    """A client that says what it is told to and holds all that it says and hears against the schema."""

    def __init__(self, site: Site) -> None:
        super().__init__(daemon=True)
        self._opened = ExitStack()
        url = f"ws://127.0.0.1:{site.port}/ws/realtime"
        self.socket = self._opened.enter_context(connect(url, proxy=None, max_size=None))
        self.talk, self.said, self.heard = Talk(), Counter(), Counter()
        self.sessions = 0  # that a symbol played
        self._session = ""
        self.faults: list[str] = []
        self.close_code: int | None = None

    def say(self, *frames: dict | str) -> None:
        for frame in frames:
            text = frame if isinstance(frame, str) else json.dumps(frame)
            self.talk.said(text)
            self.said[frame["action"] if isinstance(frame, dict) else "what is none"] += 1
            self.socket.send(text)

    def run(self) -> None:
        try:
            while True:
                self._hear(json.loads(self.socket.recv()))
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd else None

    def _hear(self, message: dict) -> None:
        self.heard[message["type"]] += 1
        try:
            self.talk.heard(message)
        except Exception as fault:  # noqa: BLE001 - every frame is looked at, whatever the one before it was
            self.faults.append(f"{message}: {fault}"[:2000])
        for update in message.get("updates", [message]):
            if update.get("symbol") == PLAYED and update["type"] == "price_update" and not update.get("replay"):
                self.sessions += update["session_date"] != self._session
                self._session = update["session_date"]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(Exception):
            self._opened.close()
        self.join(10)


@pytest.fixture
def site(tmp_path, monkeypatch) -> Iterator[Site]:
    monkeypatch.setenv("FINSTAGE_REPLAY_START", START)
    with sites.running(tmp_path, session_seconds=SESSION_SECONDS) as running:
        yield running


class Operator:
    """Staff with a key, over HTTP."""

    def __init__(self, site: Site) -> None:
        scopes = [word for scope in ("read", "write", "staff") for word in ("--scope", scope)]
        said = site.manage("key", "create", "protocol", "--user", "admin", *scopes)
        self.key = next(word for word in said.split() if word.startswith("finstage_key_"))
        self.url = site.url

    def post(self, path: str, **body: object) -> dict:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = requests.post(f"{self.url}{path}", json=body or None, headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json()


def begin(guest: Speaker, terse: Speaker, staff: Speaker, operator: Operator) -> None:
    """Everybody holds something, in every way there is."""
    guest.say({"action": "subscribe", "type": "all", "symbols": ["*"], "mode": "every", "id": 0})
    guest.say({"action": "subscribe", "type": "alerts", "symbols": ["AAPL"], "since": GONE}, *REPLAYED)
    terse.say({"action": "configure", "batch": True, "pace_ms": 300, "fields": ["current_price", "session_date"]})
    terse.say({"action": "subscribe", "type": "prices", "symbols": ["*"]})
    ticket = operator.post("/api/v2/realtime/ticket")["ticket"]
    staff.say({"action": "authenticate", "token": ticket, "id": "a"})
    staff.say(*({"action": "subscribe", "type": type} for type in ("jobs", "metrics", "system", "alerts")))


def turn(number: int, guest: Speaker, terse: Speaker, operator: Operator) -> None:
    """What is said now and then, for as long as it goes on."""
    guest.say(ASKED[number % len(ASKED)])
    terse.say({"action": "ping"})
    if number % 10 == 0:
        guest.say(WRONG[number // 10 % len(WRONG)])
        operator.post("/ws/broadcast", message="A word.", message_type="system_status", target_type="all")
        operator.post("/ws/broadcast", message="A word.", message_type="alert", target_type="symbol", target="AAPL")
        operator.post("/api/tasks/submit", task="market.records")


def lacking(heard: Counter) -> set[str]:
    return messages.MESSAGES.keys() - ABSENT.keys() - heard.keys()


@contextmanager
def speakers(site: Site, count: int) -> Iterator[list[Speaker]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Speaker(site)) for _ in range(count)]


def go_on(step: Callable[[int], None], is_enough: Callable[[], bool]) -> float:
    """Turns until it is enough, and how long that took."""
    began, number = time.monotonic(), 0
    while not is_enough() and time.monotonic() - began < LONGEST_SECONDS:
        step(number)
        number += 1
        time.sleep(A_TURN_SECONDS)
    return time.monotonic() - began


def test_an_hour_of_replay_says_nothing_that_the_schema_does_not(site):
    told = requests.get(f"{site.url}/api/v2/realtime/schema", timeout=30).json()
    assert told == json.loads(json.dumps(messages.schema())), "what is told is not what is held against"
    operator = Operator(site)
    with speakers(site, 3) as everybody:
        guest, terse, staff = everybody
        begin(guest, terse, staff, operator)

        def heard() -> Counter:
            return sum((each.heard for each in everybody), Counter())

        def is_enough() -> bool:
            return guest.sessions >= SESSIONS and lacking(heard()) <= {"renamed", "correction", "server_shutdown"}

        took = go_on(lambda number: turn(number, guest, terse, operator), is_enough)
        site.manage("rename_symbol", "FB", "META")  # which corrects all of its bars
        took += go_on(lambda number: None, lambda: lacking(heard()) <= {"server_shutdown"})
        site.processes["web"].terminate()
        for each in everybody:
            each.join(30)
    said = sum((each.said for each in everybody), Counter())
    absent, unsaid = lacking(heard()), messages.ACTIONS.keys() - said.keys()
    faults = [fault for each in everybody for fault in each.faults]
    report(
        "an hour of replay, every frame held against the schema",
        f"{guest.sessions} sessions in {took:.0f} s, {said.total()} frames said, {heard().total()} heard",
        "each fits, each action was said and each message heard",
        f"{len(faults)} do not fit; unsaid {sorted(unsaid)}, unheard {sorted(absent)}; {dict(said)}; {dict(heard())}; "
        f"left out: {ABSENT}",
    )
    assert not faults, "\n".join(faults[:5])
    assert not absent, f"never heard: {sorted(absent)}"
    assert not unsaid
    assert guest.sessions >= SESSIONS
    assert {each.close_code for each in everybody} == {messages.CLOSE["server_shutdown"]}
