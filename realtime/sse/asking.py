"""What a request for events says behind its `?`: the same words as a subscription's, and the same refusals, but that a
parameter is refused by its name, as everywhere in the interface.
"""

import re
from typing import Any
from urllib.parse import parse_qs

from realtime import messages, naming
from realtime.kinds import KINDS
from realtime.messages import Refused

NAMES = ("symbols", "types", "interval", "indicators", "mode")
UNHEEDED = "_"  # many clients add it, so that no cache answers
MOST_BYTES, MOST_FIELDS = 8192, 20
_OF_FIELD = re.compile(r"subscribe\.(\w+)")


def actions(query: bytes) -> list[dict[str, Any]]:
    """The subscriptions that it means, one a type. Raises Refused."""
    said = _said(query)
    common = {"action": "subscribe"} | ({"mode": said["mode"]} if "mode" in said else {})
    types = list(dict.fromkeys(_listed("types", said))) if "types" in said else [messages.EVERYTHING]
    if "symbols" not in said and (lacking := [type for type in types if naming.needs_symbols(type)]):
        raise Refused(
            "invalid_symbols", f"Say of which symbols {lacking[0]} are: symbols=AAPL,MSFT, or symbols=* for all."
        )
    narrowing = {name: said[name] for name in ("interval",) if name in said}
    narrowing |= {name: _listed(name, said) for name in ("symbols", "indicators") if name in said}
    asked = [{**common, "type": type, **_concerned(type, narrowing, types)} for type in types]
    try:
        read = [messages.read(messages.encode(action).decode()) for action in asked]
    except Refused as refused:
        raise _named(refused) from None
    _check_indicators(narrowing.get("indicators", ()))
    return read


def _said(query: bytes) -> dict[str, str]:
    if len(query) > MOST_BYTES:
        raise Refused("oversized", f"A query may have {MOST_BYTES} bytes.")
    try:
        given = parse_qs(query.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refused("malformed", f"The query can't be read: {MOST_FIELDS} names at most, in UTF-8.") from None
    given.pop(UNHEEDED, None)
    for name, values in given.items():
        if name not in NAMES:
            raise Refused("invalid_parameters", f"{name[:64]} is no parameter here; there are {', '.join(NAMES)}.")
        if len(values) > 1:
            raise Refused("invalid_parameters", f"{name} is given {len(values)} times; say it once, with commas.")
    return {name: value for name, [value] in given.items()}


def _listed(name: str, said: dict[str, str]) -> list[str]:
    words = [word.strip() for word in said[name].split(",")]
    if not all(words):
        raise Refused(f"invalid_{name}", f"{name} is empty, or has an empty part: say it as in {name}=A,B.")
    return words


def _check_indicators(names: list[str]) -> None:
    try:
        naming.check_indicators(names)
    except Refused as refused:
        raise Refused("invalid_indicators", str(refused)) from None


def _named(refused: Refused) -> Refused:
    """By the parameter that it is about, where a subscription is refused by its field."""
    text = str(refused)
    if (field := _OF_FIELD.match(text)) is not None:
        return Refused(f"invalid_{field[1]}", text.removeprefix("subscribe."))
    return Refused(refused.code, re.sub("^type must", "types must", text))


def _concerned(type: str, narrowing: dict[str, Any], types: list[str]) -> dict[str, Any]:
    """What narrows one of several types says nothing about the others; about none of them it is refused."""
    is_of = {name: [each for each in types if _narrows(name, each)] for name in narrowing}
    return {name: value for name, value in narrowing.items() if type in is_of[name] or not is_of[name]}


def _narrows(name: str, type: str) -> bool:
    if type == messages.EVERYTHING:
        return name == "symbols"
    column = {"symbols": "by_symbol", "interval": "has_intervals", "indicators": "has_indicators"}[name]
    return type in KINDS and getattr(KINDS[type], column)
