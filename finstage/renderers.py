"""How answers are written: JSON without NaN, CSV that a spreadsheet cannot execute, and the choice between them."""

import csv
import io
from collections.abc import Iterable, Iterator

import orjson
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_otherwise = JSONEncoder().default
# A spreadsheet runs a cell that begins with one of these.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        rows = data["results"] if isinstance(data, dict) and "results" in data else [data]
        return table(rows, getattr(context.get("view"), "csv_columns", ()))


class Negotiation(DefaultContentNegotiation):
    """`?format=` wins over `Accept`; a format that we do not write is a 406 that lists those we do."""

    def select_renderer(self, request, renderers, format_suffix=None) -> tuple[BaseRenderer, str]:
        asked = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if asked:
            return self._named(asked, renderers)
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            raise _refusal(request.headers.get("Accept", ""), renderers) from None

    def _named(self, asked: str, renderers: list[BaseRenderer]) -> tuple[BaseRenderer, str]:
        for renderer in renderers:
            if renderer.format == asked.lower():
                return renderer, renderer.media_type
        raise _refusal(asked, renderers)


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
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in flat)
    return file.getvalue().encode()


def _flattened(row: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    text = encoded(value).decode().strip('"')
    return "" if text == "null" else text


def _refusal(asked: str, renderers: list[BaseRenderer]) -> NotAcceptable:
    known = ", ".join(f"{renderer.format} ({renderer.media_type})" for renderer in renderers)
    sentence = f'"{asked[:100]}" is not a format of this answer; it can be had as {known}.'
    return NotAcceptable(sentence, code="unknown_format")
