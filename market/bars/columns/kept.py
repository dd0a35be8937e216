"""What a process keeps for as long as its version is true, bounded in bytes: the least recently used go."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

import numpy as np
from django.conf import settings

from market.prices import Bar

Columns = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Kept:
    """The final bars of one version as traded, and the views of them that were asked for, by adjustment.

    newest: the newest of them with all its fields, as traded.
    """

    version: str
    raw: Columns
    newest: Bar | None
    views: dict[str, Columns] = field(default_factory=dict)

    def with_views(self, adjustments: Collection[str]) -> "Kept":
        """The same with these views alone, where it has them."""
        return replace(self, views={name: view for name, view in self.views.items() if name in adjustments})

    @property
    def bytes(self) -> int:
        """What it holds, each array once: views share what they do not change."""
        arrays = {id(array): array.nbytes for each in (self.raw, *self.views.values()) for array in each.values()}
        return sum(arrays.values())


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
