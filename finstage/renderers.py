"""How answers are written: JSON without NaN, CSV that no spreadsheet executes, Parquet; and the choice between them."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from numbers import Number

import orjson
from rest_framework import serializers
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

from finstage import parquet

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_otherwise = JSONEncoder().default
# A spreadsheet runs a cell whose first visible character is one of these, in whatever width; some take any dash.
_FORMULA = frozenset("=+-@\N{MINUS SIGN}")
_ANY = "*/*"
_KINDS = {
    serializers.DateTimeField: parquet.INSTANT,
    serializers.DateField: parquet.DATE,
    serializers.FloatField: parquet.NUMBER,
    serializers.IntegerField: parquet.WHOLE,
    serializers.BooleanField: parquet.TRUTH,
}
_UNSEEN = ("C", "M", "Z")  # categories: controls and formats, marks, separators
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # fillers, and Braille's blank


class JSONRenderer(BaseRenderer):
    """JSON through orjson; NaN and infinity become null."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: object, accepted_media_type=None, renderer_context=None) -> bytes:
        return b"" if data is None else encoded(data)


class CSVRenderer(BaseRenderer):
    """A list as a table: one row for each of `results`, or one for the whole object; nested values get dotted columns.

    Errors stay JSON. A view may name its `csv_columns`, so that an empty list has a head too.
    """

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: object, accepted_media_type=None, renderer_context: dict | None = None) -> bytes:
        context = renderer_context or {}
        response = context.get("response")
        if response is not None and response.exception:
            return encoded(data)
        return b"" if data is None else table(_rows(data), getattr(context.get("view"), "csv_columns", ()))


class ParquetRenderer(BaseRenderer):
    """The same with typed columns, where a view names the shape of a row as `row_shape`, beside its `csv_columns`. What
    is told beside the `results` is the file's key-value metadata: texts as they are, all else as JSON.
    """

    media_type = "application/vnd.apache.parquet"
    format = "parquet"
    charset = None
    render_style = "binary"

    def render(self, data: object, accepted_media_type=None, renderer_context: dict | None = None) -> bytes:
        context = renderer_context or {}
        if context["response"].exception:
            return encoded(data)
        fields, names = context["view"].row_shape().fields, context["view"].csv_columns
        columns = [parquet.Column(name, _kind(fields[name])) for name in names]
        beside = {name: value for name, value in data.items() if name != "results"}
        facts = {name: value if isinstance(value, str) else encoded(value).decode() for name, value in beside.items()}
        return parquet.table(columns, data["results"], facts)


class Negotiation(DefaultContentNegotiation):
    """`?format=` wins over `Accept`; a format that we do not write is a 406 that lists those we do.

    Only what is read can be had as a table: a write is refused before it is done, not after.
    """

    def select_renderer(self, request, renderers, format_suffix=None) -> tuple[BaseRenderer, str]:
        renderers = answering(request.method, renderers, request.parser_context["view"])
        asked = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if asked is not None:
            return self._named(asked, renderers)
        if renderers and request.headers.get("Accept", _ANY) in (_ANY, renderers[0].media_type):
            return renderers[0], renderers[0].media_type  # what nearly all ask for needs no reading of media types
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            raise _refusal(request.headers.get("Accept", ""), renderers) from None

    def _named(self, asked: str, renderers: list[BaseRenderer]) -> tuple[BaseRenderer, str]:
        for renderer in renderers:
            if renderer.format == asked.lower():
                return renderer, renderer.media_type
        raise _refusal(asked, renderers)


def answering(method: str, renderers: list, view: object) -> list:
    """Those of a view's renderers, or of their classes, that may write the answer to this method."""
    if method not in SAFE_METHODS:
        return [each for each in renderers if each.format == JSONRenderer.format]
    has_kinds = hasattr(view, "row_shape")
    return [each for each in renderers if has_kinds or each.format != ParquetRenderer.format]


def encoded(data: object) -> bytes:
    """`data` as JSON bytes; instants in UTC with `Z`. Half a surrogate pair, which is no text, becomes a `?`."""
    try:
        return orjson.dumps(data, default=_otherwise, option=_OPTIONS)
    except orjson.JSONEncodeError:
        return orjson.dumps(_repaired(data), default=_otherwise, option=_OPTIONS)


def _repaired(data: object) -> object:
    if isinstance(data, dict):
        return {_repaired(name): _repaired(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_repaired(value) for value in data]
    return str(data).encode("utf-8", "replace").decode() if isinstance(data, str) else data


def table(rows: Iterable[dict], columns: Iterable[str] = ()) -> bytes:
    """`rows` as CSV with a head: the given columns first, then any other that a row has."""
    flat = [dict(_flattened(row)) for row in rows]
    names = list(dict.fromkeys([*columns, *(name for row in flat for name in row)]))
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([_harmless(name) for name in names])
    writer.writerows([_cell(row.get(name)) for name in names] for row in flat)
    return file.getvalue().encode("utf-8", "replace")


def _rows(data: object) -> list[dict]:
    """The table's rows in an answer: its `results`, its items, or the whole as one."""
    found = data["results"] if isinstance(data, dict) and "results" in data else data
    listed = found if isinstance(found, list) else [found]
    return [each if isinstance(each, dict) else {"value": each} for each in listed]


def _kind(field: serializers.Field) -> parquet.Kind:
    return next((kind for shape, kind in _KINDS.items() if isinstance(field, shape)), parquet.TEXT)


def _flattened(row: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _cell(value: object) -> object:
    if isinstance(value, str):
        return _harmless(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    plain = orjson.loads(encoded(value))
    if isinstance(plain, str):
        return plain if isinstance(value, Number) else _harmless(plain)
    return "" if plain is None else encoded(plain).decode()


def _harmless(text: str) -> str:
    """A text as a cell that no spreadsheet runs. A number is no text, and needs none of this."""
    return f"'{text}" if text and (unicodedata.category(text[0]) == "Cc" or _is_formula(text)) else text


def _is_formula(text: str) -> bool:
    first = next((each for each in text if not _is_unseen(each)), "")
    seen = unicodedata.normalize("NFKC", first)[:1]
    return seen in _FORMULA if seen.isascii() else unicodedata.category(seen) == "Pd" or seen in _FORMULA


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character).startswith(_UNSEEN) or character in _BLANK_LETTERS


def _refusal(asked: str, renderers: list[BaseRenderer]) -> NotAcceptable:
    known = ", ".join(f"{renderer.format} ({renderer.media_type})" for renderer in renderers)
    sentence = f'"{asked[:100]}" is not a format of this answer; it can be had as {known}.'
    return NotAcceptable(sentence, code="unknown_format")
