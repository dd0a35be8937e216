"""What a request says by name, in its query, a form or a JSON body: read alike, and nothing of it dropped."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from monitoring import names
from monitoring.jobs import arguments
from monitoring.jobs.errors import InvalidArguments

# What others read: `_` is against caches, `format` the negotiation's, the token the login's check.
OF_QUERIES, OF_FORMS = ("_", "format"), ("csrfmiddlewaretoken",)


def read(request, kinds: dict[str, Any], meant: dict[str, Any]) -> dict[str, Any]:
    """Each name that is said, with its value. kinds: the names there are; meant: what the path itself says already.

    Raises ValidationError for a name that there is not, and for one that is said in two ways.
    """
    parts = (_lists(request.query_params, OF_QUERIES), _body(request.data))
    values = {name: [value] for name, value in meant.items()}
    for name, part in ((name, part) for part in parts for name in kinds if name in part):
        values.setdefault(name, []).extend(_values(kinds[name], part[name]))
    errors = {name: [fault] for name, said in values.items() if (fault := _fault(said))}
    errors |= names.unknown(dict.fromkeys(chain(*parts)), kinds, f"there are {', '.join(kinds)}")
    if errors:
        raise ValidationError(errors, InvalidArguments.code)
    return {name: said[0] for name, said in values.items()}


def _lists(said: QueryDict, others: Iterable[str]) -> dict[str, list]:
    return {name: values for name, values in said.lists() if name not in others}


def _body(data: Any) -> dict[str, list]:
    if isinstance(data, QueryDict):
        return _lists(data, OF_FORMS)
    if not isinstance(data, dict):
        raise ValidationError("The body must be an object of names and values, or a form.")
    return {name: [value] for name, value in data.items()}


def _values(kind: Any, said: list) -> list:
    """What one part says of a name; the items of a list may be said one by one."""
    values = [arguments.understood(kind, each) for each in said]
    are_parts = arguments.is_list(kind) and all(isinstance(each, list) for each in values)
    return [[item for each in values for item in each]] if are_parts else values


def _fault(said: list) -> str | None:
    other = next((each for each in said if each != said[0]), None)
    return None if other is None else f"is said in two ways, {_short(said[0])} and {_short(other)}; say it once"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
