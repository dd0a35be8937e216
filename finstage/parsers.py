"""How a JSON body is read: whole, and no deeper than anything of ours is nested, so that its reader can follow."""

import codecs
import json
from typing import Any, NoReturn

from rest_framework import parsers
from rest_framework.exceptions import ParseError, ValidationError

MOST_WHOLE = 2**53  # beyond it a float is no exact number
DEEPEST = 100  # far from the recursion limit of those who read, store and write it


class JSONParser(parsers.JSONParser):
    """DRF's, that refuses endless nesting, and an object that says a name twice: one of its values would be dropped."""

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        text = codecs.getreader(parsers.get_encoding(parser_context or {}))(stream)
        try:
            body = json.load(text, parse_constant=_no_number, parse_float=_number, object_pairs_hook=_object)
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from None
        except RecursionError:
            raise _too_deep() from None
        if _is_deeper(body, DEEPEST):
            raise _too_deep()
        return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {}
    for name, value in pairs:
        if name in found:
            raise ValidationError({name[:100]: ["is said twice in one object; say it once"]}, "duplicate_key")
        found[name] = value
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _number(digits: str) -> float | int:
    """JSON knows no integers apart: 14.0 is one, as our document of the interface has it too."""
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) <= MOST_WHOLE else value


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
