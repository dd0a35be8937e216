"""How a process loses one of its defences, to see that a scenario notices."""

import os
from types import ModuleType
from typing import Any


def put(owner: Any, name: str, value: object) -> None:
    """Put something weak where a class, a module or settings have a defence of their own by this name.

    Raises AttributeError where they have none: what is put there would switch nothing off.
    """
    if not (name in vars(owner) if isinstance(owner, type | ModuleType) else hasattr(owner, name)):
        where = getattr(owner, "__name__", type(owner).__name__)
        raise AttributeError(f"{where} has no {name} of its own (any more): this would switch nothing off.")
    setattr(owner, name, value)


def take_away(known: dict[str, Any]) -> None:
    """Call what CHAOS_WITHOUT names among these, without its `without_`. Raises KeyError where it is none of them."""
    if without := os.environ.get("CHAOS_WITHOUT"):
        known[f"without_{without}"]()
