"""Where a reader of events is, by what was sent to it; and how an answer that has lasted long enough ends."""

import asyncio

from realtime.sse import Events, events, marks
from realtime.sse.cursor import SHARE, SHORT, Cursor
from realtime.streams import Position

FB, META = "prices:FB", "prices:META"


def at(*moves: dict) -> dict[str, Position]:
    cursor = Cursor({})
    for message in moves:
        cursor.follow(message, 10)
    return marks.read(cursor.mark() or "")


def test_a_renamed_stream_goes_on_where_it_was_by_its_new_name():
    begun = {"type": "subscribed", "streams": {FB: {"epoch": "a", "seq": 7}}}
    renamed = {"type": "renamed", "stream": FB, "to": META}
    assert at(begun, renamed) == {META: Position("a", 7)}
    assert at(begun, renamed, {"type": "price_update", "symbol": "META", "seq": 9}) == {META: Position("a", 9)}


def test_another_name_of_what_it_does_not_hold_is_nothing():
    begun = {"type": "subscribed", "streams": {META: {"epoch": "a", "seq": 7}}}
    assert at(begun, {"type": "renamed", "stream": FB, "to": META}) == {META: Position("a", 7)}


def test_what_is_held_no_more_has_no_place():
    begun = {"type": "subscribed", "streams": {FB: {"epoch": "a", "seq": 7}, META: {"epoch": "b", "seq": 8}}}
    assert at(begun, {"type": "unsubscribed", "streams": [FB]}) == {META: Position("b", 8)}


def test_a_place_that_its_reader_has_is_not_told_again():
    cursor = Cursor({})
    cursor.follow({"type": "subscribed", "streams": {FB: {"epoch": "a", "seq": 7}}}, 10)
    assert (cursor.due() is not None, cursor.due(), cursor.mark()) == (True, None, None)
    cursor.follow({"type": "pong"}, 10)
    assert cursor.due() is None


def test_a_long_mark_comes_once_so_many_times_as_much_was_sent():
    cursor, names = Cursor({}), [f"alerts:{number * 7919:x}" for number in range(200)]
    streams = {name: {"epoch": f"{number * 104729:x}", "seq": 5} for number, name in enumerate(names)}
    cursor.follow({"type": "subscribed", "streams": streams}, 10)
    size = len(cursor.due())
    assert size > SHORT
    cursor.follow({"type": "alert", "stream": names[0], "seq": 6}, SHARE * size - 1)
    assert cursor.due() is None
    cursor.follow({"type": "alert", "stream": names[0], "seq": 7}, 1)
    assert cursor.due() is not None


def test_answers_that_began_together_last_a_day_and_end_apart():
    lives = sorted(events.lifetime() for _ in range(1000))
    day = 24 * 3600
    assert day <= lives[0] < lives[-1] <= day * 1.05
    assert lives[-1] - lives[0] > day * 0.04


def test_an_answer_that_has_lasted_long_enough_says_so_and_ends(monkeypatch):
    monkeypatch.setattr(events, "LIFETIME_SECONDS", 0.0)
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.01)
    sent: list[dict] = []

    async def scenario() -> None:
        async def send(message: dict) -> None:
            sent.append(message)

        await Events(asyncio.Event().wait, send, address="", login=None, key=None, may_write=False).run([])

    asyncio.run(scenario())
    assert b": 4015 lifetime over" in sent[-2]["body"]
    assert sent[-1] == {"type": "http.response.body", "body": b""}
