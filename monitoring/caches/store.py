"""What a process keeps for as long as its version is true, bounded in bytes: the least recently used go."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from django.conf import settings


class Versioned(Protocol):
    """What is true as long as something has a version."""

    @property
    def version(self) -> object: ...

    @property
    def bytes(self) -> int: ...


Value = TypeVar("Value", bound=Versioned)


class Store(Generic[Value]):
    """What is kept, by key, within the bytes that a setting allows. Safe in several threads."""

    def __init__(self, setting: str) -> None:
        self._setting = setting
        self._held: OrderedDict[Hashable, Value] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._lock = threading.Lock()
        self.bytes = 0

    def get(self, key: Hashable, version: object) -> Value | None:
        """What is kept of a key, if it is of this version."""
        with self._lock:
            found = self._held.get(key)
            if found is None or found.version != version:
                return None
            self._held.move_to_end(key)
            return found

    def keep(self, key: Hashable, value: Value) -> None:
        """Keep it, also where it has grown, in place of what the least recently asked keys hold."""
        with self._lock:
            self._forget(key)
            self._held[key], self._sizes[key] = value, value.bytes
            self.bytes += self._sizes[key]
            while self._held and self.bytes > getattr(settings, self._setting):
                self._forget(next(iter(self._held)))

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._sizes.clear()
            self.bytes = 0

    def _forget(self, key: Hashable) -> None:
        self._held.pop(key, None)
        self.bytes -= self._sizes.pop(key, 0)
