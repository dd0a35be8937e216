"""The pages' WebSocket client against a server that a test plays."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from realtime.messages import MAX_SYMBOLS

OPEN = """async () => {
  const { Stream } = await import('/static/stream/stream.js');
  window.seen = [];
  window.stream = new Stream();
  for (const type of ['price_update', 'alert', 'lost', 'epoch', 'state', 'ended'])
    stream.on(type, (detail) => seen.push([type, detail.seq ?? detail.state ?? detail.to ?? detail.streams ?? null]));
  stream.subscribe('prices', ['AAPL']).subscribe('alerts', ['AAPL']).open();
}"""


class Server:
    """Sockets that came, what they asked, and what to say to the newest."""

    def __init__(self) -> None:
        self.sockets: list[WebSocketRoute] = []
        self.asked: list[dict] = []
        self.seq = {"prices:AAPL": 10, "alerts:AAPL": 5, "jobs": 3}
        self.refused: dict[str, str] = {}
        self.said_with: dict[str, float] = {}
        self.unknown: list[str] = []
        self.starting: list[str] = []
        self.epoch = "one"

    def accept(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self.hear(socket, json.loads(text)))
        self.say({"type": "connected", "client_id": "x", "heartbeat_seconds": 30, "protocol": 1})

    def hear(self, socket: WebSocketRoute, action: dict) -> None:
        self.asked.append(action)
        if (what := action.get("type", action["action"])) in self.refused:
            code = self.refused[what]
            self.say({"type": "error", "id": action["id"], "code": code, "message": code, **self.said_with})
        elif action["action"] == "subscribe":
            if unknown := [symbol for symbol in action.get("symbols", ()) if symbol in self.unknown]:
                error = {"type": "error", "id": action["id"], "code": "unknown_symbol", "message": "no"}
                self.say({**error, "symbols": unknown})
            if coming := [symbol for symbol in action.get("symbols", ()) if symbol in self.starting]:
                self.say({"type": "subscribed", "id": action["id"], "streams": {}, "snapshot": [], "starting": coming})
                return
            name = "jobs" if action["type"] == "jobs" else f"{action['type']}:AAPL"
            known = action.get("since", {}).get(name, {})
            state = {"epoch": self.epoch, "seq": self.seq.get(name, 0), "recovered": known.get("epoch") == self.epoch}
            self.say({"type": "subscribed", "id": action["id"], "streams": {name: state}, "snapshot": []})

    def say(self, message: dict) -> None:
        self.sockets[-1].send(json.dumps(message))

    def price(self, seq: int) -> None:
        self.say({"type": "price_update", "symbol": "AAPL", "current_price": seq, "seq": seq})

    def alert(self, seq: int) -> None:
        self.say({"type": "alert", "stream": "alerts:AAPL", "id": seq, "symbol": "AAPL", "seq": seq})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def page(visit, server: Server) -> Page:
    page = visit("/symbols/NOPE/")
    page.route_web_socket("**/ws/realtime", server.accept)
    page.evaluate(OPEN)
    until(page, "stream.places.size === 2")
    return page


def until(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {condition}")


def seen(page: Page, type: str) -> list:
    page.evaluate("new Promise(requestAnimationFrame)")
    return [value for name, value in page.evaluate("seen") if name == type]


def eventually(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(1200):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError


def test_prices_of_one_frame_become_the_newest_and_alerts_all_stay(page, server):
    page.evaluate("stream.queue.deliver = () => null")
    for seq in (11, 12, 13):
        server.price(seq)
    for seq in (6, 7):
        server.alert(seq)
    until(page, "stream.queue.size === 3")
    page.evaluate("delete stream.queue.deliver && stream.queue.deliver()")
    assert seen(page, "price_update") == [13]
    assert seen(page, "alert") == [6, 7]


def test_a_message_that_came_twice_counts_once(page, server):
    server.alert(6)
    until(page, "seen.some(([type]) => type === 'alert')")
    server.alert(6)
    server.alert(7)
    until(page, "seen.filter(([type]) => type === 'alert').length >= 2")
    assert seen(page, "alert") == [6, 7]


def test_after_a_lost_line_each_stream_goes_on_where_it_was(page, server):
    server.price(11)
    until(page, "stream.places.get('prices:AAPL').seq === 11")
    server.sockets[-1].close(code=4012)
    eventually(page, lambda: len(server.asked) >= 4)
    since = {name: place for action in server.asked[2:4] for name, place in action["since"].items()}
    assert since == {"prices:AAPL": {"epoch": "one", "seq": 11}, "alerts:AAPL": {"epoch": "one", "seq": 5}}


def test_a_symbol_goes_on_where_it_was_however_it_is_written(page, server):
    page.evaluate("stream.end(); stream.wanted.all.clear(); stream.subscribe('alerts', ['aapl']).open()")
    eventually(page, lambda: len(server.asked) == 3)
    assert (server.asked[2]["symbols"], server.asked[2]["since"]) == (
        ["AAPL"],
        {"alerts:AAPL": {"epoch": "one", "seq": 5}},
    )
    page.evaluate("stream.unsubscribe('alerts', ['aapl'])")
    eventually(page, lambda: server.asked[-1]["action"] == "unsubscribe")
    assert (server.asked[-1]["symbols"], page.evaluate("stream.places.has('alerts:AAPL')")) == (["AAPL"], False)


def test_an_unknown_symbol_costs_the_others_nothing_of_what_they_missed(page, server):
    page.evaluate("stream.subscribe('alerts', ['GONE'])")
    server.unknown, server.seq["alerts:AAPL"] = ["GONE"], 7
    server.sockets[-1].close(code=4012)
    eventually(page, lambda: len(server.asked) >= 5)
    for seq in (6, 7):  # what was missed comes behind the answer, which names the unknown one first
        server.alert(seq)
    until(page, "seen.filter(([type]) => type === 'alert').length === 2")
    assert seen(page, "alert") == [6, 7]


def test_what_is_started_is_heard_as_it_was_asked_for_once_it_is_there(page, server):
    server.starting = ["ZZIB", "ZZIC"]
    page.evaluate("stream.on('starting', ({ symbols }) => seen.push(['starting', symbols]))")
    page.evaluate("stream.on('refusal', ({ code }) => seen.push(['refusal', code]))")
    page.evaluate("stream.subscribe('prices', ['ZZIB', 'ZZIC'], { mode: 'every' })")
    until(page, "seen.some(([type]) => type === 'starting')")
    asked = server.asked[-1]["id"]
    assert seen(page, "starting") == [["ZZIB", "ZZIC"]]
    error = {"type": "error", "id": asked, "code": "unknown_symbol", "message": "no", "symbols": ["ZZIC"]}
    server.say(error)
    there = {"prices:ZZIB": {"epoch": "one", "seq": 1, "recovered": False}}
    server.say({"type": "subscribed", "id": asked, "streams": there, "snapshot": []})
    until(page, "stream.places.has('prices:ZZIB')")
    assert page.evaluate("stream.isWhole('prices:ZZIB')")  # in the mode that was asked for
    assert page.evaluate("stream.asked.size") == 0
    assert (seen(page, "refusal"), len(server.sockets)) == (["unknown_symbol"], 1)


def test_a_hole_in_a_lossless_stream_is_asked_for_and_nothing_behind_it_is_taken(page, server):
    server.alert(8)
    server.alert(9)
    eventually(page, lambda: len(server.asked) == 3)
    assert server.asked[2]["since"] == {"alerts:AAPL": {"epoch": "one", "seq": 5}}
    assert seen(page, "alert") == []
    for seq in (6, 7, 8, 9):
        server.alert(seq)
    until(page, "seen.filter(([type]) => type === 'alert').length === 4")
    assert seen(page, "alert") == [6, 7, 8, 9]


def test_a_gap_is_told_and_the_stream_goes_on_behind_it(page, server):
    gap = {"type": "gap", "stream": "alerts:AAPL", "epoch": "one", "from": 6, "to": 40, "reason": "history_expired"}
    server.say(gap)
    server.alert(41)
    until(page, "seen.some(([type]) => type === 'alert')")
    assert seen(page, "lost") == [40]
    assert seen(page, "alert") == [41]


def test_a_new_epoch_begins_the_numbers_anew(page, server):
    server.say({"type": "epoch", "stream": "prices:AAPL", "epoch": "two", "seq": 0})
    server.price(1)
    until(page, "seen.some(([type]) => type === 'price_update')")
    assert seen(page, "price_update") == [1]
    assert seen(page, "epoch") == [0]


def test_an_epoch_that_changed_while_the_line_was_lost_is_told(page, server):
    server.epoch, server.seq = "two", {"prices:AAPL": 2, "alerts:AAPL": 0}
    server.sockets[-1].close(code=1011)
    until(page, "seen.filter(([type]) => type === 'epoch').length === 2")


def test_a_refusal_is_final_and_everything_else_is_tried_again(page, server):
    server.sockets[-1].close(code=4509)
    until(page, "stream.state === 'refused'")
    page.wait_for_timeout(1500)
    assert len(server.sockets) == 1


def test_a_line_that_does_not_answer_is_dropped_and_opened_again(page, server):
    page.evaluate("stream.beat()")
    eventually(page, lambda: len(server.sockets) == 2)
    assert server.asked[2] == {"action": "ping"}


def test_a_line_that_does_not_even_take_leave_is_dropped_as_soon(page, server):
    """Behind a network that swallows everything a browser waits a minute for the other end's farewell."""
    page.evaluate("stream.socket.close = () => null; stream.beat()")
    until(page, "stream.state === 'reconnecting'")
    eventually(page, lambda: len(server.sockets) == 2)
    server.price(11)
    until(page, "stream.places.get('prices:AAPL').seq === 11")


def test_what_ended_with_its_rights_is_told_forgotten_and_not_asked_for_again(page, server):
    page.evaluate("stream.subscribe('jobs')")
    until(page, "stream.places.has('jobs')")
    page.evaluate("stream.queue.deliver = () => null")
    server.say({"type": "jobs", "stream": "jobs", "jobs": [], "is_whole": True, "seq": 4})
    until(page, "stream.queue.size === 1")
    server.say({"type": "unsubscribed", "streams": ["jobs"], "reason": "rights_ended", "subscriptions": []})
    until(page, "stream.queue.size === 0")
    assert seen(page, "ended") == [["jobs"]]
    server.asked.clear()
    server.sockets[-1].close(code=4012)
    eventually(page, lambda: len(server.asked) >= 2)
    assert [action["type"] for action in server.asked] == ["prices", "alerts"]


def test_what_is_for_staff_is_asked_for_once(page, server):
    server.refused["jobs"] = "staff_only"
    page.evaluate("stream.subscribe('jobs')")
    until(page, "seen.some(([type]) => type === 'ended')")
    server.asked.clear()
    server.sockets[-1].close(code=4012)
    eventually(page, lambda: len(server.asked) >= 2)
    assert [action["type"] for action in server.asked] == ["prices", "alerts"]


def test_a_line_on_which_it_could_not_say_who_it_is_for_now_is_left_for_another(page, server):
    server.refused = {"authenticate": "temporarily_unavailable", "jobs": "staff_only"}
    page.evaluate("stream.token = 'a key'; stream.subscribe('bars', ['AAPL'])")
    page.evaluate("stream.wanted.add('jobs', [], {})")
    server.sockets[-1].close(code=4012)
    eventually(page, lambda: len(server.sockets) >= 3)
    server.refused.clear()
    until(page, "stream.places.has('jobs')")
    assert seen(page, "ended") == []


def test_what_may_be_otherwise_after_a_while_is_not_asked_before(page, server):
    page.evaluate(
        """() => {
          window.waits = [];
          const set = setTimeout;
          window.setTimeout = (act, wait) => (waits.push(wait), set(act, Math.min(wait, 50)));
        }"""
    )
    server.refused, server.said_with = {"jobs": "no_room"}, {"retry_after": 60}
    page.evaluate("stream.subscribe('jobs')")
    until(page, "waits.some((wait) => wait > 60000)")
    server.refused.clear()
    server.say({"type": "server_shutdown", "retry_after": 7})
    server.sockets[-1].close(code=4012)
    until(page, "waits.some((wait) => wait > 7000 && wait < 8000)")
    eventually(page, lambda: len(server.sockets) == 2)
    server.say({"type": "error", "code": "too_many_connections", "message": "x", "retry_after": 5})
    server.sockets[-1].close(code=4016)
    until(page, "waits.some((wait) => wait > 5000 && wait < 7000)")


def test_what_could_not_be_answered_for_now_is_asked_again(page, server):
    server.refused["jobs"] = "temporarily_unavailable"
    page.evaluate("stream.subscribe('jobs')")
    eventually(page, lambda: server.asked[-1]["type"] == "jobs")
    del server.refused["jobs"]
    until(page, "stream.places.has('jobs')")
    server.say({"type": "unsubscribed", "streams": ["jobs"], "reason": "rights_unknown", "subscriptions": []})
    server.asked.clear()
    until(page, "seen.some(([type]) => type === 'ended')")
    page.wait_for_function("() => [...stream.asked.values()].length || stream.lastId >= 5")
    eventually(page, lambda: any("type" in action for action in server.asked))  # a ping has none
    again = next(action for action in server.asked if "type" in action)
    assert (again["type"], again["since"]["jobs"]["seq"]) == ("jobs", 3)


def test_ones_own_alerts_go_on_where_they_were_and_a_hole_in_them_is_asked_for(page, server):
    page.evaluate("stream.places.set('alerts:@me', { epoch: 'mine', seq: 2 })")
    server.say({"type": "alert", "stream": "alerts:@me", "id": 9, "symbol": "AAPL", "seq": 4})
    eventually(page, lambda: len(server.asked) == 3)
    assert server.asked[2]["symbols"] == ["AAPL"]
    assert server.asked[2]["since"]["alerts:@me"] == {"epoch": "mine", "seq": 2}
    server.sockets[-1].close(code=4012)
    eventually(page, lambda: len(server.asked) == 5)
    assert server.asked[4]["since"]["alerts:@me"] == {"epoch": "mine", "seq": 2}


def test_a_line_that_is_lost_again_and_again_is_opened_ever_later(page, server):
    """Also where each was answered: a server that closes what it answers is not asked every instant."""
    pauses = page.evaluate(
        """async () => {
          const pauses = [];
          const set = setTimeout;
          stream.open = () => null;
          window.setTimeout = (act, wait) => { pauses.push(wait); return set(() => null, 0); };
          for (let turn = 0; turn < 9; turn += 1) {
            stream.connected({ client_id: `c${turn}` });
            for (const id of [...stream.asked.keys()]) stream.subscribed({ id, streams: {}, snapshot: [] });
            pauses.length = 0;
            stream.closed(1006);
            stream.longest = Math.max(stream.longest ?? 0, pauses[0]);
          }
          return [stream.attempts, stream.longest];
        }"""
    )
    assert pauses[0] == 9
    assert pauses[1] > 1000


def test_what_the_server_has_no_time_for_is_shown_until_it_is_answered(page, server):
    server.refused["jobs"] = "temporarily_unavailable"
    page.evaluate("stream.serve({ redis: true, feed: true, source: true, detail: null })")
    page.evaluate("stream.subscribe('jobs')")
    until(page, "[...stream.late].some(({ type, times }) => type === 'jobs' && times >= 2)")
    assert page.evaluate("stream.isFlowing") is False
    del server.refused["jobs"]
    until(page, "stream.places.has('jobs')")
    assert page.evaluate("stream.isFlowing") is True


def test_more_symbols_than_the_server_takes_at_once_are_asked_for_in_parts(page, server):
    server.seq["bars:AAPL"] = 0
    page.evaluate(f"stream.subscribe('bars', Array.from({{ length: {2 * MAX_SYMBOLS + 1} }}, (_, n) => `S${{n}}`))")
    eventually(page, lambda: len(server.asked) == 5)
    asked = [action["symbols"] for action in server.asked[2:]]
    assert list(map(len, asked)) == [MAX_SYMBOLS, MAX_SYMBOLS, 1]
    assert [each for some in asked for each in some] == [f"S{number}" for number in range(2 * MAX_SYMBOLS + 1)]
    server.sockets[-1].close(code=4012)
    eventually(page, lambda: len(server.asked) == 10)


def test_a_part_that_was_answered_does_not_hide_one_that_was_not(page, server):
    page.evaluate("stream.serve({ redis: true, feed: true, source: true, detail: null })")
    server.refused["bars"] = "temporarily_unavailable"
    page.evaluate("stream.subscribe('bars', ['IBM'])")
    until(page, "stream.late.size === 1")
    server.seq["bars:AAPL"] = 0
    page.evaluate("stream.asked.set(99, { type: 'bars', symbols: ['MSFT'], since: {}, times: 0 })")
    server.say({"type": "subscribed", "id": 99, "streams": {}, "snapshot": []})
    until(page, "!stream.asked.has(99)")
    assert page.evaluate("stream.isFlowing") is False
    del server.refused["bars"]
    until(page, "stream.isFlowing")
    assert server.asked[-1]["symbols"] == ["IBM"]


def test_what_was_meant_for_a_line_that_was_left_does_not_end_the_next(page, server):
    """The page goes into the browser's cache while an answer is awaited, and comes back."""
    page.evaluate(
        """() => {
          stream.beat = () => null; // no other answer is awaited
          stream.answerBy = setTimeout(() => stream.socket?.close(), 1000);
          dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
          dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
        }"""
    )
    eventually(page, lambda: len(server.sockets) == 2)
    page.wait_for_timeout(1500)
    assert len(server.sockets) == 2


def test_a_large_answer_comes_in_pieces(page, server):
    id = 99
    page.evaluate("stream.asked.set(99, { type: 'prices', symbols: ['IBM', 'MSFT'], since: {} })")
    state = {"epoch": "one", "seq": 7, "recovered": False}
    server.say({"type": "subscribed", "id": id, "streams": {"prices:IBM": state}, "snapshot": [], "more": True})
    until(page, "stream.places.has('prices:IBM')")
    assert page.evaluate(f"stream.asked.has({id})")
    server.say({"type": "subscribed", "id": id, "streams": {"prices:MSFT": state}, "snapshot": []})
    until(page, "stream.places.has('prices:MSFT')")
    assert not page.evaluate(f"stream.asked.has({id})")


def test_while_nobody_looks_one_message_a_stream_is_kept_and_what_was_not_is_told(page, server):
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.evaluate("window.requestAnimationFrame = () => 1")
    for seq in range(11, 60):
        server.price(seq)
    for seq in range(6, 60):
        server.alert(seq)
    until(page, "stream.places.get('alerts:AAPL').seq === 59")
    assert page.evaluate("stream.queue.size") == 2
    page.evaluate("delete document.hidden && document.dispatchEvent(new Event('visibilitychange'))")
    assert [value for name, value in page.evaluate("seen") if name == "price_update"] == [59]
    assert [value for name, value in page.evaluate("seen") if name == "alert"] == [59]
    assert [name for name, _ in page.evaluate("seen")].count("lost") == 1


def test_a_page_that_follows_more_than_a_connection_may_says_so(visit, server):
    page = visit("/symbols/NOPE/")
    page.route_web_socket("**/ws/realtime", server.accept)
    server.refused["bars"] = "too_many_symbols"
    page.goto("/")
    expect(page.locator("[data-too-many]")).to_contain_text("Not everything here moves by itself.")
    server.refused.clear()
    server.sockets[-1].close(code=4012)
    expect(page.locator("[data-too-many]")).to_be_hidden()
