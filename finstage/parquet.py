"""Tables as Apache Parquet: one row group, a page for each column, compressed by gzip. Pure.

A column says what its values are, so that one without any has a kind too. Source: the format's own text,
https://parquet.apache.org/docs/file-format/ and its parquet.thrift, whose structures are in Thrift's compact protocol.
"""

import gzip
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_MAGIC = b"PAR1"
_GZIP, _PLAIN, _RLE = 2, 0, 3  # a codec, and encodings
_OPTIONAL = 1
_TRUE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 5, 6, 8, 9, 12  # kinds of Thrift

Fields = Sequence[tuple[int, int, object]]  # of a structure: number, kind and value, by their numbers
_MICROSECONDS_UTC: Fields = ((1, _TRUE, None), (2, _STRUCT, ((2, _STRUCT, ()),)))


@dataclass(frozen=True, slots=True)
class Kind:
    """type: how values lie in a page, as Parquet counts types. meant: which of LogicalType they stand for, and what it
    says; converted: the same for older readers.
    """

    type: int
    written: Callable[[Sequence], bytes]
    meant: tuple[int, Fields] | None = None
    converted: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """What each row has by a name, or None."""

    name: str
    kind: Kind


def _texts(values: Sequence[str]) -> bytes:
    told = [each.encode("utf-8", "replace") for each in values]
    return b"".join(part for each in told for part in (struct.pack("<I", len(each)), each))


def _bits(values: Sequence[bool]) -> bytes:
    return np.packbits(np.array(values, bool), bitorder="little").tobytes()


def _instants(values: Sequence[str]) -> bytes:
    return np.array([each.removesuffix("Z") for each in values], "datetime64[us]").astype("<i8").tobytes()


TEXT = Kind(6, _texts, (1, ()), 0)
TRUTH = Kind(0, _bits)
WHOLE = Kind(2, lambda values: np.array(values, "<i8").tobytes())
NUMBER = Kind(5, lambda values: np.array(values, "<f8").tobytes())
DATE = Kind(1, lambda values: np.array(values, "datetime64[D]").astype("<i4").tobytes(), (6, ()), 6)
INSTANT = Kind(2, _instants, (8, _MICROSECONDS_UTC), 10)


def table(columns: Sequence[Column], rows: Sequence[Mapping[str, object]], facts: Mapping[str, str]) -> bytes:
    """Rows as a file; dates are ISO 8601, and instants too, in UTC with a Z. facts: what is told of all of them."""
    parts, chunks, at = [_MAGIC], [], len(_MAGIC)
    for column in columns:
        page, size = _page(column, [row[column.name] for row in rows])
        chunks.append(_chunk(column, len(rows), at, len(page), size))
        parts.append(page)
        at += len(page)
    footer = _structure(_footer(columns, chunks, len(rows), facts))
    return b"".join([*parts, footer, struct.pack("<I", len(footer)), _MAGIC])


def _page(column: Column, values: list) -> tuple[bytes, int]:
    """A column's values behind their head, and how many bytes both are before they are compressed."""
    there = _bits([each is not None for each in values])
    levels = _number(len(there) << 1 | 1) + there
    told = column.kind.written([each for each in values if each is not None])
    body = struct.pack("<I", len(levels)) + levels + told
    packed = gzip.compress(body, 1, mtime=0)
    page = ((1, _I32, len(values)), (2, _I32, _PLAIN), (3, _I32, _RLE), (4, _I32, _RLE))
    head = _structure(((1, _I32, 0), (2, _I32, len(body)), (3, _I32, len(packed)), (5, _STRUCT, page)))
    return head + packed, len(head) + len(body)


def _chunk(column: Column, count: int, at: int, packed: int, size: int) -> Fields:
    facts = (
        (1, _I32, column.kind.type),
        (2, _LIST, (_I32, [_PLAIN, _RLE])),
        (3, _LIST, (_BINARY, [column.name])),
        (4, _I32, _GZIP),
        (5, _I64, count),
        (6, _I64, size),
        (7, _I64, packed),
        (9, _I64, at),
    )
    return ((2, _I64, at), (3, _STRUCT, facts))


def _footer(columns: Sequence[Column], chunks: list[Fields], count: int, facts: Mapping[str, str]) -> Fields:
    root = ((4, _BINARY, "schema"), (5, _I32, len(columns)))
    size = sum(told[5][2] for _, (_, _, told) in chunks)
    group = ((1, _LIST, (_STRUCT, chunks)), (2, _I64, size), (3, _I64, count))
    pairs = [((1, _BINARY, name), (2, _BINARY, value)) for name, value in facts.items()]
    return (
        (1, _I32, 1),
        (2, _LIST, (_STRUCT, [root, *map(_element, columns)])),
        (3, _I64, count),
        (4, _LIST, (_STRUCT, [group])),
        (5, _LIST, (_STRUCT, pairs)),
        (6, _BINARY, "finstage"),
    )


def _element(column: Column) -> Fields:
    kind = column.kind
    plain = [(1, _I32, kind.type), (3, _I32, _OPTIONAL), (4, _BINARY, column.name)]
    if kind.meant is None:
        return plain
    which, says = kind.meant
    return [*plain, (6, _I32, kind.converted), (10, _STRUCT, ((which, _STRUCT, says),))]


def _structure(fields: Fields) -> bytes:
    told, before = [], 0
    for number, kind, value in fields:
        told.append(bytes([(number - before) << 4 | kind]) + _value(kind, value))
        before = number
    return b"".join([*told, b"\0"])


def _value(kind: int, value: object) -> bytes:
    return _WRITTEN[kind](value)


def _list(told: tuple[int, list]) -> bytes:
    kind, values = told
    head = bytes([len(values) << 4 | kind]) if len(values) < 15 else bytes([0xF0 | kind]) + _number(len(values))
    return head + b"".join(_value(kind, each) for each in values)


def _text(value: str) -> bytes:
    told = value.encode("utf-8", "replace")
    return _number(len(told)) + told


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _signed(value: int) -> bytes:
    """None that is told here is below zero."""
    return _number(value << 1)


_WRITTEN = {
    _TRUE: lambda _: b"",  # its kind says it
    _I32: _signed,
    _I64: _signed,
    _BINARY: _text,
    _LIST: _list,
    _STRUCT: _structure,
}
