"""A sign of life that a wrong clock dated into the future is none of now."""

import os
import time

import orjson

from monitoring import heartbeats


def test_a_sign_from_the_future_is_as_old_as_it_is_ahead(redis):
    heartbeats.beat("worker")
    assert heartbeats.age("worker") < 10
    redis.hset(heartbeats.key(), "worker", orjson.dumps({"at": time.time() + 86_400, "pid": os.getpid()}))
    assert heartbeats.age("worker") > 86_000
