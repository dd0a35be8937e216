"""The pages' WebSocket client against a server that a test plays."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute

OPEN = """async () => {
  const { Stream } = await import('/static/stream.js');
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
        self.epoch = "one"

    def accept(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self.hear(socket, json.loads(text)))
        self.say({"type": "connected", "client_id": "x", "heartbeat_seconds": 30, "protocol": 1})

    def hear(self, socket: WebSocketRoute, action: dict) -> None:
        self.asked.append(action)
        if action["action"] == "subscribe" and action["type"] in self.refused:
            code = self.refused[action["type"]]
            self.say({"type": "error", "id": action["id"], "code": code, "message": code})
        elif action["action"] == "subscribe":
            name = "jobs" if action["type"] == "jobs" else f"{action['type']}:AAPL"
            known = action.get("since", {}).get(name, {})
            state = {"epoch": self.epoch, "seq": self.seq[name], "recovered": known.get("epoch") == self.epoch}
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
    page.evaluate("stream.deliver = () => null")
    for seq in (11, 12, 13):
        server.price(seq)
    for seq in (6, 7):
        server.alert(seq)
    until(page, "stream.queue.size === 3")
    page.evaluate("delete stream.deliver && stream.deliver()")
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


def test_what_ended_with_its_rights_is_told_forgotten_and_not_asked_for_again(page, server):
    page.evaluate("stream.subscribe('jobs')")
    until(page, "stream.places.has('jobs')")
    page.evaluate("stream.deliver = () => null")
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
