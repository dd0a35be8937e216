"""The header `Idempotency-Key`: what is asked for twice with the same one is done once."""

import re

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from monitoring.submissions import KEY_LENGTH

NAME = "Idempotency-Key"
HEADER = OpenApiParameter(NAME, str, OpenApiParameter.HEADER)
ONE_STRING = re.compile(r'"([ !#-\[\]-~]|\\["\\])*"')  # RFC 8941: in it a comma is no end of a value


def key(request: Request, in_body: str | None = None) -> str | None:
    """The key of a request; None where it has none. Raises ValidationError."""
    in_header = request.headers.get(NAME)
    if in_header is None:
        return in_body
    if fault := _fault(in_header, in_body):
        raise ValidationError({"key": [fault]})
    return in_header


def _fault(in_header: str, in_body: str | None) -> str | None:
    if not in_header.strip():
        return f"is empty in the {NAME} header; leave the header out to submit without a key"
    if "," in in_header and not ONE_STRING.fullmatch(in_header):  # several headers of one name reach us joined by it
        return f"is said once in the {NAME} header, and with a comma in double quotes: which of several counts?"
    if len(in_header) > KEY_LENGTH:
        return f"must have at most {KEY_LENGTH} characters"
    return f"differs from the {NAME} header" if in_body and in_header != in_body else None
