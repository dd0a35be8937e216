"""What is free goes back to the system."""

import ctypes
import os
import sys
from pathlib import Path

import pytest

from monitoring import memory

MB = 1 << 20


def held() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="malloc is not glibc's")
def test_what_lies_between_what_is_used_is_given_back():
    memory.give_back()
    blocks = [bytes(60_000) for _ in range(500)]
    kept = blocks[::5]  # none of them at an end alone
    before = held()
    del blocks
    freed = held()
    memory.give_back()
    assert before - held() > 15 * MB
    assert freed - held() > 5 * MB, "it was given back before"
    assert sum(map(len, kept)) == 6_000_000


def test_where_malloc_has_no_such_thing_nothing_happens(monkeypatch):
    monkeypatch.setattr(memory, "_library", lambda: sys)
    memory.give_back()
    memory.share()
