"""The page of the certificates, and what else pages ask of the catalogue."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analysis import wording
from analysis.conformance import kept
from analysis.indicators.catalogue import ENTRIES
from analysis.indicators.entries import GROUPS
from analysis.indicators.entry import Entry

CHECKED, UNCHECKED = "checked", "unchecked"
# What has a column of its own; whatever else a certificate holds is listed as it is.
_COLUMNS = {"first_value", "live_difference", "looks_ahead", "settled", "reference_difference", "behaviour"}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked of the list; what is none of it asks for nothing."""

    text: str
    group: str
    reference: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Filter":
        told = {name: request.GET.get(name, "") for name in ("q", "group", "reference")}
        group = told["group"] if told["group"] in set(GROUPS.values()) else ""
        reference = told["reference"] if told["reference"] in (CHECKED, UNCHECKED) else ""
        return cls(told["q"].strip()[:60], group, reference)

    def has(self, row: dict) -> bool:
        return (
            self.text.casefold() in row["said"]
            and self.group in ("", row["group"])
            and self.reference in ("", CHECKED if row["is_checked"] else UNCHECKED)
        )


def conformance(request: HttpRequest) -> HttpResponse:
    """The certificates as they were measured with this version; nothing is computed here."""
    rows = [_row(entry) for entry in ENTRIES.values()]
    wanted = Filter.of(request)
    groups = {GROUPS[entry.name]: wording.group(entry) for entry in ENTRIES.values()}
    shown = {
        "rows": [{**row, "is_shown": wanted.has(row)} for row in rows],
        "count": len(rows),
        "shown": sum(map(wanted.has, rows)),
        "checked": sum(row["is_checked"] for row in rows),
        "live_difference": max(row["live_difference"] for row in rows),
        "looking_ahead": sum(row["looks_ahead"] for row in rows),
        "groups": groups,
        "filter": wanted,
        **_origin(),
    }
    return render(request, "conformance.html", shown)


def picker(request: HttpRequest) -> HttpResponse:
    """The words of the picker of indicators, which come with it."""
    return render(request, "picker.html")


def _row(entry: Entry) -> dict:
    certificate = kept.certificates()[entry.name]
    title = wording.title(entry)
    first = certificate["first_value"]
    return {
        **certificate,
        "name": entry.name,
        "key": entry.with_defaults().key,
        "title": title,
        "group": GROUPS[entry.name],
        "source": entry.source,
        "note": entry.note,
        "first_bar": None if first is None else first + 1,
        "is_checked": certificate["reference_difference"] is not None,
        "behaviour": certificate.get("behaviour", {}),
        "more": [(name, _listed(value)) for name, value in certificate.items() if name not in _COLUMNS],
        "said": " ".join([title, entry.title, entry.name, entry.library, entry.source]).casefold(),
    }


def _listed(value: object) -> list[tuple[str, object]]:
    """What a certificate tells of several, one by one."""
    return list(value.items()) if isinstance(value, dict) else [("", value)]


def _origin() -> dict:
    told = kept.origin()
    return {**told, "days": f"{told['bars']['count']:,}", "measured_at": datetime.fromisoformat(told["measured_at"])}
