"""Columns that a process keeps for as long as their version is true, bounded in bytes: the least recently used go."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from django.conf import settings

Columns = dict[str, np.ndarray]


@dataclass(slots=True)
class Series:
    """The final bars of one version as traded, and the views of them that were asked for, by adjustment."""

    version: str
    raw: Columns
    views: dict[str, Columns] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """What it holds, each array once: views share what they do not change."""
        arrays = {id(array): array.nbytes for each in (self.raw, *self.views.values()) for array in each.values()}
        return sum(arrays.values())


class Store:
    """Series by key. Safe in several threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], Series] = OrderedDict()
        self._sizes: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        return sum(self._sizes.values())

    def get(self, key: tuple[str, str], version: str) -> Series | None:
        """The series of a key, if it is of this version."""
        with self._lock:
            found = self._held.get(key)
            if found is None or found.version != version:
                return None
            self._held.move_to_end(key)
            return found

    def keep(self, key: tuple[str, str], series: Series) -> None:
        """Keep it, also where it has grown by a view, in place of what the least recently asked keys hold."""
        with self._lock:
            self._held[key], self._sizes[key] = series, series.bytes
            self._held.move_to_end(key)
            while self._held and self.bytes > settings.COLUMNS_BYTES:
                oldest, _ = self._held.popitem(last=False)
                del self._sizes[oldest]

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._sizes.clear()
