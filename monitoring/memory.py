"""What malloc keeps of this process's memory, where it is glibc's; elsewhere nothing happens."""

import contextlib
import ctypes
from collections.abc import Callable
from functools import cache

from django.db import connection

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # of malloc.h
_LARGE = 32 << 10  # bytes: what is larger, as an answer of a source or columns, goes back to the system once done with
_SMALLEST = 24  # bytes of what malloc gives
_FINER = 256  # by which part the holes are looked for smaller and smaller


def share() -> None:
    """Have all threads share two arenas: each would have one of its own, which keeps what it took."""
    _try(lambda: _library().mallopt(_M_ARENA_MAX, 2))
    _try(lambda: _library().mallopt(_M_MMAP_THRESHOLD, _LARGE))


def give_back() -> None:
    """Give what is free back to the system, also between what is not, and what SQLite keeps of its file for this
    thread: that takes about a millisecond.
    """
    if connection.vendor == "sqlite" and connection.connection is not None:
        connection.connection.execute("PRAGMA shrink_memory")
    _try(lambda: _library().malloc_trim(0))


def fill_holes() -> None:
    """Take for good what is free between what is used. A process that is forked from here would take it piece by piece,
    each on a page that it then shares no more: a megabyte of holes was nine of pages. What it takes now lies together.
    """
    _try(_fill_holes)


class _Facts(ctypes.Structure):
    """As mallinfo2 tells them, in bytes but for the counts."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks")
    ] + [("keepcost", ctypes.c_size_t)]


def holes() -> int:
    """How many bytes are free between what is used. Raises AttributeError where malloc does not tell it."""
    told = _facts()
    return told.fordblks - told.keepcost


def _facts() -> _Facts:
    asked = _library().mallinfo2
    asked.restype = _Facts
    return asked()


def _fill_holes() -> None:
    take, leave, end_of_heap = _library().malloc, _library().free, _library().sbrk
    take.restype, take.argtypes, leave.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
    end_of_heap.restype, end_of_heap.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
    behind, size = end_of_heap(0) - _facts().keepcost, _LARGE
    while size >= _SMALLEST:
        taken = take(size)
        if taken is None or taken >= behind:  # no hole is as large
            leave(taken)
            size -= max(16, size // _FINER * 16)


def _try(act: Callable[[], object]) -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):
        act()


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
