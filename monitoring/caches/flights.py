"""In a process one computes what several ask for at once, and the others wait for it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(slots=True)
class _Flight(Generic[Value]):
    over: threading.Event = field(default_factory=threading.Event)
    value: Value | None = None
    error: Exception | None = None


class Flights(Generic[Value]):
    def __init__(self) -> None:
        self._open: dict[str, _Flight[Value]] = {}
        self._lock = threading.Lock()

    def share(self, key: str, compute: Callable[[], Value]) -> tuple[Value, bool]:
        """What somebody computes, and whether it is the caller. What it raises is raised to all who waited.

        Where a computation was ended from outside, as that of a thread which has to stop, one of those who waited goes
        on with it.
        """
        while True:
            with self._lock:
                found = self._open.get(key)
                mine = None if found else self._open.setdefault(key, _Flight())
            if mine is not None:
                return self._fly(key, mine, compute), True
            found.over.wait()
            if found.error is not None:
                raise found.error
            if found.value is not None:
                return found.value, False

    def _fly(self, key: str, mine: _Flight[Value], compute: Callable[[], Value]) -> Value:
        try:
            mine.value = compute()
        except Exception as error:
            mine.error = error
            raise
        finally:
            with self._lock:
                del self._open[key]
            mine.over.set()
        return mine.value
