"""What a person chose about how pages look and work: on the account, or for a guest in the browser.

A value is a row of its own, so that two tabs that change two things change both. What was not chosen has no row, and
the default holds.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote
from zoneinfo import available_timezones

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from finstage.models import Preference, User

MARKET, LOCAL = "market", "local"  # times by the exchange's clock, or by that of the browser; else a zone by its name
CHOICES = {
    "theme": ("light", "dark"),
    "language": tuple(code for code, _ in settings.LANGUAGES),
    "palette": ("red-blue", "green-red", "blue-orange"),
    "density": ("comfortable", "compact"),
    "tour": ("closed",),
}
ZONE = "time_zone"
GROUPS = ("columns", "chart", "drawings")  # by the table, the setting, the symbol; what is in them only pages read
COOKIES = {settings.LANGUAGE_COOKIE_NAME: "language"} | {
    name: name for name in (*CHOICES, ZONE) if name != "language"
}  # where a guest's are, that the server needs before any script runs
KEY = re.compile(r"[A-Za-z0-9_.^=:/-]{1,40}")
LONGEST, DEEPEST, MOST = 4_000, 8, 500  # characters of a value as JSON; levels; values of one account

Values = dict[str, Any]


class Wrong(ValueError):
    """A value that can't be chosen; says which can."""


@cache
def zones() -> list[str]:
    """Those with a place in their name, and UTC: what stands beside them is another name of one of these."""
    return [*sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")), "UTC"]


def check(name: str, value: object) -> None:
    """Raises Wrong. name: as rows have it, `theme` or `chart.scale`."""
    if name in CHOICES and value not in CHOICES[name]:
        raise Wrong(f"can be {', '.join(CHOICES[name])}, or null for the default")
    if name == ZONE and not (isinstance(value, str) and value in (MARKET, LOCAL, *zones())):
        raise Wrong("can be market, local, a zone such as Europe/Berlin, or null for the default")
    group, _, key = name.partition(".")
    if name in CHOICES or name == ZONE:
        return
    if group not in GROUPS or not KEY.fullmatch(key):
        raise Wrong("a name within has 1 to 40 letters, digits and any of . _ ^ = : / -")
    if _is_deeper(value, DEEPEST) or len(json.dumps(value, ensure_ascii=False)) > LONGEST:
        raise Wrong(f"a value has at most {LONGEST:,} characters and {DEEPEST} levels")
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:  # what no answer could tell again
        raise Wrong("a whole number has at most 64 bits, and a text no half surrogate pair") from None


def of(owner_id: int) -> dict[str, Any]:
    """By their rows' names; what was kept before anybody looked whether it can be told again counts as not chosen."""
    kept = Preference.objects.filter(owner_id=owner_id).values_list("name", "value")
    return {name: value for name, text in kept if (value := _read(text)) is not None}


def of_cookies(cookies: dict[str, str]) -> dict[str, Any]:
    """A guest's; what a cookie can't mean counts as not chosen."""
    return dict(_right((name, unquote(cookies[cookie])) for cookie, name in COOKIES.items() if cookie in cookies))


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """As the interface tells them: every name, and null where nothing was chosen."""
    told: dict[str, Any] = {name: values.get(name) for name in (*CHOICES, ZONE)}
    for group in GROUPS:
        within = (
            (name.removeprefix(f"{group}."), value) for name, value in values.items() if name.startswith(f"{group}.")
        )
        told[group] = dict(sorted(within))
    return told


def flat(told: Values) -> dict[str, Any]:
    """By rows' names what the interface was told."""
    plain = {name: value for name, value in told.items() if name not in GROUPS}
    return plain | {f"{group}.{key}": value for group in GROUPS for key, value in (told.get(group) or {}).items()}


def change(owner: User, values: dict[str, Any]) -> None:
    """Keep these, and forget those that are None. Raises Wrong where they would be too many."""
    chosen = {name: value for name, value in values.items() if value is not None}
    with transaction.atomic():
        if gone := values.keys() - chosen.keys():
            Preference.objects.filter(owner=owner, name__in=gone).delete()
        if Preference.objects.filter(owner=owner).exclude(name__in=chosen).count() + len(chosen) > MOST:
            raise Wrong(f"{MOST} values of an account are the most: take some away")
        _put(owner, chosen)


def merge(owner: User, guests: dict[str, Any]) -> None:
    """What a guest chose in this browser becomes the account's where it has no choice of its own."""
    room = MOST - Preference.objects.filter(owner=owner).count()
    kept = of(owner.pk).keys()
    fresh = [(name, value) for name, value in _right(guests.items()) if name not in kept]
    _put(owner, dict(fresh[: max(0, room)]))


def _put(owner: User, values: dict[str, Any]) -> None:
    now = timezone.now()
    rows = [
        Preference(owner=owner, name=name, value=json.dumps(value), changed_at=now) for name, value in values.items()
    ]
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["owner", "name"]
    Preference.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["value", "changed_at"], unique_fields=unique
    )


def _read(text: str) -> Any:
    """As orjson reads it, which can write it again: of too many digits a rounded number, of half a pair none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _right(values: Any) -> Iterator[tuple[str, Any]]:
    for name, value in values:
        try:
            check(name, value)
        except Wrong:
            continue
        yield name, value


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
