"""Clients that are cut off again and again while prices run: no hole and nothing twice."""

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.sync.client import connect

from market.models import Symbol
from realtime import messages, streams

pytestmark = pytest.mark.django_db(transaction=True)
MESSAGES, CLIENTS, CUTS = 1500, 6, 8
STREAM = "prices:AAPL"


def publish(quote, stop: threading.Event) -> None:
    for number in range(MESSAGES):
        streams.publish([messages.price(quote("AAPL", 100 + number))])
        stop.wait(0.002)


def follow(url: str, seed: int) -> list[int]:
    """What a client hears that loses its connection CUTS times, until the last message."""
    chance, heard, place = random.Random(seed), [], None
    for _ in range(CUTS):
        place = listen(url, place, heard, until=time.monotonic() + chance.uniform(0.1, 0.5))
        time.sleep(chance.uniform(0, 0.2))
    listen(url, place, heard, until=time.monotonic() + 20)
    return heard


def listen(url: str, place: dict | None, heard: list[int], *, until: float) -> dict:
    action = {"action": "subscribe", "type": "prices", "symbols": ["AAPL"], "mode": "every"}
    if place:
        action["since"] = {STREAM: place}
    with connect(f"{url}/ws/realtime") as socket:
        socket.send(json.dumps(action))
        is_told = False
        while not is_told or (time.monotonic() < until and heard[-1] < MESSAGES):
            try:
                message = json.loads(socket.recv(0.2))
            except TimeoutError:
                continue
            if message["type"] == "subscribed":
                is_told = True
                if place is None:
                    place = message["streams"][STREAM]
                    heard.append(place["seq"])
            elif message["type"] == "price_update":
                heard.append(message["seq"])
            assert message["type"] != "gap"
        socket.socket.close()  # as a network does: without a word
    return {"epoch": place["epoch"], "seq": heard[-1]}


def test_a_storm_of_reconnections_leaves_no_hole(live_web, apple, quote):
    assert Symbol.objects.filter(ticker="AAPL").exists()
    stop = threading.Event()
    with ThreadPoolExecutor(CLIENTS + 1) as threads:
        publishing = threads.submit(publish, quote, stop)
        stories = list(threads.map(follow, [live_web.ws_url] * CLIENTS, range(CLIENTS)))
        publishing.result()
    for heard in stories:
        assert heard == list(range(heard[0], MESSAGES + 1))
