"""Long lists a page at a time, by a cursor that stays right while rows come and go."""

import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from django.core.signing import BadSignature, Signer
from django.db.models import F, IntegerField, Q, QuerySet, Value
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

_NOTHING = Q(pk__in=())
AT_ONCE = 500  # rows that are read at a time where they are chosen behind the query


class Place(NamedTuple):
    """Where a page begins: behind the row of these values, or at it; or where it ends, if it is read backwards."""

    values: Sequence[Any]
    is_backwards: bool = False
    is_included: bool = False


class Cursors:
    """Places of one list in one order. A cursor is signed: what we did not make, or made for another, is refused.

    address: of the list, with its query, where it is another than the request's own.
    """

    def __init__(self, request, *order: str, address: str | None = None) -> None:
        self._request, self._address = request, address
        path = request.path if address is None else address.partition("?")[0]
        self._salt = json.dumps(["cursor", path.rstrip("/"), *order])

    def asked(self) -> Place | None:
        """The place of `?cursor=`. Raises ValidationError."""
        text = self._request.query_params.get("cursor")
        if text is None:
            return None
        try:
            return Place(*Signer(salt=self._salt).unsign_object(text))
        except (BadSignature, ValueError):
            raise _refusal(
                "cursor", "It is no cursor of this list in this order; take it whole from `next` or `previous`."
            ) from None

    def url(self, place: Place) -> str:
        """The list's own address, from that place on."""
        plain = tuple(each if isinstance(each, str | int | float | None) else str(each) for each in place.values)
        signed = _signed(self._salt, place._replace(values=plain))
        return replace_query_param(self._request.build_absolute_uri(self._address), "cursor", signed)


class Pages(BasePagination):
    """`?limit=` rows from `?cursor=`; the links to the next and previous page are in the body and in `Link`.

    ordering: a column, or several; `-` turns one round. The key decides among rows that are equal in them, so the
    order is total. No value sorts before every value, as our databases have it.
    """

    ordering: str | Sequence[str] = "pk"
    usual_limit = 100
    highest_limit = 1000
    cursors, place = Cursors, Place

    def paginate_queryset(
        self, queryset: QuerySet, request, view=None, *, choose: Callable[[list], list] | None = None
    ) -> list:
        """A page of a query's rows. choose: which of some are told, where no query knows that; so many are read as it
        takes.
        """
        limit, order = self._limit(request), self._order(queryset)
        self._cursors = Cursors(request, *(f"{'-' * turned}{name}" for name, turned in order))
        asked = self._cursors.asked()
        names = [f"page_{position}" for position in range(len(order))]
        found = queryset.annotate(**{name: F(column) for name, (column, _) in zip(names, order, strict=True)})
        is_backwards = asked is not None and asked.is_backwards
        columns = [(name, turned != is_backwards) for name, (_, turned) in zip(names, order, strict=True)]
        found = found.order_by(*(f"{'-' * turned}{name}" for name, turned in columns))
        expressions = [found.query.annotations[name] for name in names]

        def read(place: Place | None, count: int) -> list:
            beyond = found if place is None else found.filter(_beyond(columns, place, expressions))
            return list(beyond[:count])

        rows = read(asked, limit + 1) if choose is None else _chosen(read, choose, asked, names, limit + 1)
        return self._page(rows, limit, asked, names)

    def paginate_tables(self, tables: Sequence[QuerySet], request) -> list[dict]:
        """A page of the rows of several tables, as plain values, in the order of one column that all of them have.

        Rows that are equal in it come table by table, and then by their keys, so that this order is total too.
        """
        limit, (column, falls) = self._limit(request), (self.ordering.removeprefix("-"), self.ordering.startswith("-"))
        self._cursors, names = Cursors(request, self.ordering, "table"), ["page_0", "page_1", "page_2"]
        asked = self._cursors.asked()
        is_backwards = asked is not None and asked.is_backwards
        columns = [(name, turned != is_backwards) for name, turned in zip(names, (falls, False, falls), strict=True)]
        rows: list[dict] = []
        for number, table in enumerate(tables):
            found = table.annotate(page_0=F(column), page_1=Value(number, IntegerField()), page_2=F("pk"))
            if asked is not None:
                found = found.filter(_beyond(columns, asked, [found.query.annotations[name] for name in names]))
            rows += found.order_by(*(f"{'-' * turned}{name}" for name, turned in columns if name != "page_1"))[
                : limit + 1
            ]
        for name, turned in reversed(columns):
            rows.sort(key=itemgetter(name), reverse=turned)
        return self._page(rows[: limit + 1], limit, asked, names)

    def _page(self, rows: list, limit: int, asked: Place | None, names: list[str]) -> list:
        """Of rows as they were read, one more than a page has, those of the page as they are told."""
        are_more, rows = len(rows) > limit, rows[:limit]
        if asked is not None and asked.is_backwards:
            rows.reverse()
        self._before, self._behind = _neighbours([_taken(row, names) for row in rows], asked, are_more=are_more)
        return rows

    def paginate_rows(self, rows: Sequence[Any], request, key: Callable[[Any], int] | None = None) -> list:
        """A page of rows that are at hand, in the order of their keys.

        key: of a row; None where they stay as they are, as what is past does.
        """
        limit, self._cursors = self._limit(request), Cursors(request, "row")
        asked = self._cursors.asked()
        keys = range(len(rows)) if key is None else [key(row) for row in rows]
        first = bisect_left(keys, asked.values[0]) if asked else 0
        self._before = Place([keys[max(first - limit, 0)]]) if first else None
        self._behind = Place([keys[first + limit]]) if first + limit < len(rows) else None
        return list(rows[first : first + limit])

    def get_paginated_response(self, data: list) -> Response:
        following, before = (place and self._cursors.url(place) for place in (self._behind, self._before))
        links = [f'<{url}>; rel="{name}"' for name, url in (("next", following), ("prev", before)) if url]
        headers = {"Link": ", ".join(links)} if links else None
        return Response({"next": following, "previous": before, "results": data}, headers=headers)

    def _limit(self, request) -> int:
        text = request.query_params.get("limit", str(self.usual_limit))
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= self.highest_limit):
            allowed = f"it must be a whole number from 1 to {self.highest_limit}."
            raise _refusal("limit", f'"{text[:40]}" is not a limit; {allowed}')
        return int(text)

    def _order(self, queryset: QuerySet) -> list[tuple[str, bool]]:
        """Each column and whether it falls, down to the key, which no two rows share."""
        asked = [self.ordering] if isinstance(self.ordering, str) else self.ordering
        order = [(name.removeprefix("-"), name.startswith("-")) for name in asked]
        named = {name for name, _ in order}
        keys = [field.attname for field in queryset.model._meta.pk_fields]  # several of a composite one
        if "pk" in named or named.issuperset(keys):
            return order
        return [*order, *((name, order[-1][1]) for name in (keys if len(keys) > 1 else ["pk"]))]


def _chosen(
    read: Callable[[Place | None, int], list],
    choose: Callable[[list], list],
    place: Place | None,
    names: list[str],
    count: int,
) -> list:
    """So many of the rows beyond a place as are chosen, as far as there are any; read some at a time."""
    rows: list = []
    while len(rows) < count:
        step = read(place, AT_ONCE)
        rows += choose(step)
        if len(step) < AT_ONCE:
            break
        place = Place([step[-1][name] for name in names], is_backwards=bool(place and place.is_backwards))
    return rows[:count]


@lru_cache(1024)
def _signed(salt: str, place: Place) -> str:
    """A page that is asked for again leads on as before."""
    return Signer(salt=salt).sign_object(place)


def _beyond(columns: list[tuple[str, bool]], place: Place, expressions: list) -> Q:
    """The rows that lie beyond a place when these columns are read in this direction."""
    beyond, equal = _NOTHING, Q()
    for (name, falls), text, expression in zip(columns, place.values, expressions, strict=True):
        value = expression.output_field.to_python(text)
        beyond |= equal & _past(name, value, falls=falls)
        equal &= Q(**{f"{name}__isnull": True} if value is None else {name: value})
    return beyond | equal if place.is_included else beyond


def _past(name: str, value: Any, *, falls: bool) -> Q:
    if value is None:
        return _NOTHING if falls else Q(**{f"{name}__isnull": False})
    return Q(**{f"{name}__lt": value}) | Q(**{f"{name}__isnull": True}) if falls else Q(**{f"{name}__gt": value})


def _neighbours(values: list[list], asked: Place | None, *, are_more: bool) -> tuple[Place | None, Place | None]:
    """Where the page before and the one behind begin. Of a page whose rows are all gone, one leads back."""
    is_backwards = asked is not None and asked.is_backwards
    if not values:
        back = asked and Place(asked.values, not is_backwards, is_included=True)
        return (None, back) if is_backwards else (back, None)
    is_one_before = are_more if is_backwards else asked is not None
    is_one_behind = is_backwards or are_more
    before = Place(values[0], is_backwards=True) if is_one_before else None
    return before, Place(values[-1]) if is_one_behind else None


def _taken(row: Any, names: list[str]) -> list:
    """The row's place; a row of plain values is then as its list asked for it."""
    return [row.pop(name) if isinstance(row, dict) else getattr(row, name) for name in names]


def _refusal(field: str, message: str) -> ValidationError:
    return ValidationError({field: [message]}, code=f"invalid_{field}")
