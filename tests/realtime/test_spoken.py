"""The ear of the tests' clients hears what is wrong: else it would prove nothing."""

import json

import jsonschema
import pytest
from websockets.sync.client import connect

from realtime import messages
from tests.spoken import Talk


def test_a_real_client_is_listened_to(live_web):
    with connect(f"{live_web.ws_url}/ws/realtime") as socket:
        socket.send('{"action": "pong", "id": 1}')
        while (heard := json.loads(socket.recv(60)))["type"] != "error":
            pass
        assert (socket.talk.wrong, heard["code"]) == ([1], "unknown_action")


@pytest.mark.parametrize(
    "message",
    [
        messages.connected("x") | {"more": 1},
        {"type": "price_update", "symbol": "AAPL", "seq": 1},
        {"type": "pong", "timestamp": "today"},
        {"type": "price_updates", "updates": [{"symbol": "AAPL"}]},
        {"type": "error", "code": "oops", "message": "x"},
    ],
)
def test_a_message_that_the_schema_does_not_know_is_heard(message):
    with pytest.raises(jsonschema.ValidationError):
        Talk().heard(message)


def test_who_asked_for_fields_hears_no_more_than_those():
    talk = Talk()
    talk.said('{"action": "configure", "fields": ["volume"]}')
    talk.heard({"type": "price_update", "symbol": "AAPL", "volume": 1, "seq": 1})


def test_what_is_allowed_and_refused_and_what_is_forbidden_and_answered_are_heard():
    talk = Talk()
    talk.said('{"action": "ping", "id": 1}')
    with pytest.raises(AssertionError, match="allows was refused"):
        talk.heard(messages.error("unknown_action", "no", id=1))
    talk.said('{"action": "ping", "id": 2, "more": 1}')
    with pytest.raises(AssertionError, match="forbids was answered"):
        talk.heard({"type": "pong", "timestamp": "2026-03-02T15:04:05Z", "id": 2})
