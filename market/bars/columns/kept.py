"""Columns that a process keeps for as long as their version is true, bounded in bytes: the least recently used go."""

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace

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


class Store:
    """What is kept, by key. Safe in several threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._sizes: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self.bytes = 0

    def get(self, key: tuple[str, str], version: str) -> Kept | None:
        """What is kept of a key, if it is of this version."""
        with self._lock:
            found = self._held.get(key)
            if found is None or found.version != version:
                return None
            self._held.move_to_end(key)
            return found

    def keep(self, key: tuple[str, str], kept: Kept) -> None:
        """Keep it, also where it has grown by a view, in place of what the least recently asked keys hold."""
        with self._lock:
            self._forget(key)
            self._held[key], self._sizes[key] = kept, kept.bytes
            self.bytes += self._sizes[key]
            while self._held and self.bytes > settings.COLUMNS_BYTES:
                self._forget(next(iter(self._held)))

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._sizes.clear()
            self.bytes = 0

    def _forget(self, key: tuple[str, str]) -> None:
        self._held.pop(key, None)
        self.bytes -= self._sizes.pop(key, 0)
