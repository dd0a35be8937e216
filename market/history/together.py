"""Who writes at the same time writes together: one does it for all who come meanwhile, some in one transaction.

It goes on until nobody waits, so that of many connections few have what writing needs.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item, Answer = TypeVar("Item"), TypeVar("Answer")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    is_over: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: BaseException | None = None


class Together(Generic[Item, Answer]):
    """write: of several items what came of each, in their order. size: of an item; `most` of them are written at once,
    one item at the least. alike: what items have in common that are written at once.
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
        self._is_writing, self._lock = False, threading.Lock()

    def __call__(self, item: Item) -> Answer:
        """What came of an item. Raises what `write` does of it alone: the fault of one is none of the others'."""
        mine: _Waiting[Item, Answer] = _Waiting(item)
        with self._lock:
            self._waiting.append(mine)
            is_first, self._is_writing = not self._is_writing, True
        while is_first and (some := self._taken()):
            self._write_some(some)
        mine.is_over.wait()
        if mine.error is not None:
            raise mine.error
        return mine.answer

    def _taken(self) -> list[_Waiting[Item, Answer]]:
        """Those who have waited for longest, as many as go together."""
        with self._lock:
            some, left = self._waiting[:1], self._most
            for each in self._waiting[1:]:
                left -= self._size(some[-1].item)
                if self._size(each.item) > left or self._alike(each.item) != self._alike(some[0].item):
                    break
                some.append(each)
            del self._waiting[: len(some)]
            self._is_writing = bool(some)
        return some

    def _write_some(self, some: list[_Waiting[Item, Answer]]) -> None:
        try:
            told = list(zip(some, self._write([each.item for each in some]), strict=True))
        except BaseException as error:  # noqa: BLE001 - it is raised where the item is somebody's
            if len(some) > 1:
                for each in some:
                    self._write_some([each])
                return
            told, some[0].error = [(some[0], None)], error
        for each, answer in told:
            each.answer = answer
            each.is_over.set()
