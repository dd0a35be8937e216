"""The update that every server in a measurement hands on: 240 bytes of JSON, which say when they were due."""

import json
from collections.abc import Iterator

SYMBOLS, SIZE = 100, 240
_PADDING = "padding"


def ticker(number: int) -> str:
    return f"S{number:03d}"


def text(symbol: str, number: int, due_us: int) -> bytes:
    """due_us: by the monotonic clock, which all processes of a machine share. `client.c` looks for it at the front."""
    price = 100 + number % 1000 / 100
    fields = {"type": "price_update", "t": due_us, "symbol": symbol, "current_price": price, "change": price - 100}
    body = json.dumps({**fields, _PADDING: ""}, separators=(",", ":"))
    return body.replace(f'"{_PADDING}":""', f'"{_PADDING}":"{"x" * (SIZE - len(body))}"').encode()


def in_turn(symbols: int) -> Iterator[tuple[int, str]]:
    """Numbers from 0, and a symbol for each, so that all get equally many."""
    names, number = [ticker(each) for each in range(symbols)], 0
    while True:
        yield number, names[number % symbols]
        number += 1
