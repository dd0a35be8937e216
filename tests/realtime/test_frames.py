"""Frames, as a server sends them, and what a client that asked for batches gets in one."""

import orjson
import pytest

from realtime import frames
from realtime.frames import Encoded, Part

PRICES = [Encoded(orjson.dumps({"type": "price_update", "seq": seq})) for seq in (1, 2, 3)]
ALERT = Encoded(b'{"type":"alert","seq":1}')


def test_a_batch_gathers_prices_up_to_what_must_keep_its_place_between_them():
    found = [orjson.loads(body) for body in frames.bodies([*PRICES[:2], ALERT, PRICES[2]], batch=True)]
    assert [each["type"] for each in found] == ["price_updates", "alert", "price_updates"]
    assert [[update["seq"] for update in each.get("updates", [])] for each in found] == [[1, 2], [], [3]]
    assert list(frames.bodies([PRICES[0], ALERT], batch=False)) == [PRICES[0].body, ALERT.body]


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_a_frame_says_its_size_in_as_many_bytes_as_that_takes(size, head):
    frame = frames.text_frame(b"x" * size)
    assert (frame[0], len(frame)) == (0x81, size + head)
    told = frame[1] if head == 2 else int.from_bytes(frame[2:head], "big")
    assert told == size


def test_what_goes_out_together_is_framed_together():
    part = Part("prices:AAPL", PRICES, is_newest=False)
    assert (
        part.frames == frames.joined(PRICES, batch=False) == b"".join(map(frames.text_frame, (p.body for p in PRICES)))
    )
