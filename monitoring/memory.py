"""What malloc keeps of this process's memory, where it is glibc's; elsewhere nothing happens."""

import contextlib
import ctypes
from functools import cache

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # of malloc.h
_LARGE = 128 << 10  # bytes: what is larger, such as an answer of a source, goes back to the system once it is done with


def share() -> None:
    """Have all threads share two arenas: each would have one of its own, which keeps what it took."""
    _call("mallopt", _M_ARENA_MAX, 2)
    _call("mallopt", _M_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Give what is free back to the system, also between what is not: that takes about a millisecond."""
    _call("malloc_trim", 0)


def _call(name: str, *values: int) -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):
        getattr(_library(), name)(*values)


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
