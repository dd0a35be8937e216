"""The final bars of one version, as a process keeps them."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

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
