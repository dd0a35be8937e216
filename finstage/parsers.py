"""How a JSON body is read: no deeper than anything of ours is nested, so that whoever handles it can follow."""

from typing import Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError

DEEPEST = 100  # far from the recursion limit of those who read, store and write it


class JSONParser(parsers.JSONParser):
    """DRF's, that refuses endless nesting."""

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        try:
            body = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise _too_deep() from None
        if _is_deeper(body, DEEPEST):
            raise _too_deep()
        return body


def _is_deeper(value: object, levels: int) -> bool:
    """Whether lists and objects are nested in each other more often than that; without recursion."""
    level = [value]
    for _ in range(levels + 1):
        level = [inner for outer in level if isinstance(outer, list | dict) for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(outer: list | dict) -> list:
    return list(outer.values()) if isinstance(outer, dict) else outer


def _too_deep() -> ParseError:
    return ParseError(f"Malformed JSON: nested deeper than {DEEPEST} levels.")
