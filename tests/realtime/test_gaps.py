"""What a gap says can be asked for as it stands, and brings what is missing."""

import json
import urllib.request
from datetime import UTC, datetime

import pytest

from realtime import events, messages, streams
from tests.realtime.test_consumer import open_socket

pytestmark = pytest.mark.django_db(transaction=True)


def tell(*texts: str) -> None:
    said = [messages.system(text, datetime.now(UTC)) for text in texts]
    events.keep(said, streams.publish(said))


def test_a_gap_of_another_epoch_leads_to_all_that_came_since_the_place_that_was_given(live_web):
    tell("one", "two")
    with open_socket(live_web) as client:
        place = client.ask({"action": "subscribe", "type": "system"}, "subscribed")["streams"]["system"]
    tell("three")
    streams.renew(["system"])
    tell("four")
    with open_socket(live_web) as client:
        since = {"system": {"epoch": place["epoch"], "seq": place["seq"]}}
        client.send({"action": "subscribe", "type": "system", "since": since})
        gap = client.until("gap")
    assert gap["reason"] == "epoch_changed"
    with urllib.request.urlopen(live_web.url + gap["rest"]) as answer:
        found = json.load(answer)
    assert [each["body"]["message"] for each in found["results"]] == ["three", "four"]
    assert found["is_whole"] is True


@pytest.mark.parametrize("place", [("a&b c", 7), ("", 7), ("x" * 2000, 7), ("5f1c", 10**17)])
def test_a_gap_behind_a_place_that_can_be_none_of_ours_leads_to_all_that_there_is(live_web, place):
    tell("one")
    with open_socket(live_web) as client:
        since = {"system": dict(zip(("epoch", "seq"), place, strict=True))}
        client.send({"action": "subscribe", "type": "system", "since": since})
        gap = client.until("gap")
    with urllib.request.urlopen(live_web.url + gap["rest"]) as answer:
        assert [each["body"]["message"] for each in json.load(answer)["results"]] == ["one"]
