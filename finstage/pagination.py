"""Long lists a page at a time, by a cursor that stays right while rows come and go."""

from django.core.exceptions import ValidationError as ImpossibleValue
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response


class Pages(CursorPagination):
    """`?limit=` rows from `?cursor=`; the links to the next and previous page are in the body and in `Link`."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "limit"
    page_size_query_description = "Rows in a page, 1 to 1000."
    cursor_query_description = "Where the page begins, as `next` and `previous` say it."

    def paginate_queryset(self, queryset, request, view=None) -> list:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ImpossibleValue, ValueError, OverflowError):
            raise _refusal("cursor", "The cursor is not one of ours; take it from `next` or `previous`.") from None

    def get_page_size(self, request) -> int:
        text = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= self.max_page_size):
            allowed = f"it must be a whole number from 1 to {self.max_page_size}."
            raise _refusal("limit", f'"{text[:40]}" is not a limit; {allowed}')
        return int(text)

    def get_paginated_response(self, data: list) -> Response:
        following, before = self.get_next_link(), self.get_previous_link()
        links = [f'<{url}>; rel="{name}"' for name, url in (("next", following), ("prev", before)) if url]
        headers = {"Link": ", ".join(links)} if links else None
        return Response({"next": following, "previous": before, "results": data}, headers=headers)


def _refusal(field: str, message: str) -> ValidationError:
    return ValidationError({field: [message]}, code=f"invalid_{field}")
