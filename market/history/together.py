"""Writers that come at the same time write together: one does it for all who wait, in one transaction."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item, Answer = TypeVar("Item"), TypeVar("Answer")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    answer: list[Answer] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def is_over(self) -> bool:
        return bool(self.answer) or self.error is not None


class Together(Generic[Item, Answer]):
    """write: of several items what came of each, in their order. size: of an item; `most` of them are written at once,
    one at the least. alike: what items have in common that are written at once.
    """

    def __init__(
        self,
        write: Callable[[list[Item]], list[Answer]],
        *,
        size: Callable[[Item], int],
        most: int,
        alike: Callable[[Item], object],
    ) -> None:
        self._write, self._size, self._most, self._alike = write, size, most, alike
        self._waiting: list[_Waiting[Item, Answer]] = []
        self._here, self._writing = threading.Lock(), threading.Lock()

    def __call__(self, item: Item) -> Answer:
        """What came of an item. Raises what `write` does of it alone: the fault of one is none of the others'."""
        mine: _Waiting[Item, Answer] = _Waiting(item)
        with self._here:
            self._waiting.append(mine)
        with self._writing:
            while not mine.is_over:
                self._write_some(self._taken())
        if mine.error is not None:
            raise mine.error
        return mine.answer[0]

    def _taken(self) -> list[_Waiting[Item, Answer]]:
        """Those who have waited for longest, as many as go together."""
        with self._here:
            first, *others = self._waiting
            some, left = [first], self._most - self._size(first.item)
            for each in others:
                if self._size(each.item) <= left and self._alike(each.item) == self._alike(first.item):
                    some.append(each)
                    left -= self._size(each.item)
            self._waiting = [each for each in self._waiting if each not in some]
        return some

    def _write_some(self, some: list[_Waiting[Item, Answer]]) -> None:
        try:
            for each, answer in zip(some, self._write([each.item for each in some]), strict=True):
                each.answer.append(answer)
        except BaseException as error:  # noqa: BLE001 - it is raised where the item is somebody's
            if len(some) == 1:
                some[0].error = error
                return
            for each in some:
                self._write_some([each])
