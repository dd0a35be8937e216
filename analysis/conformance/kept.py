"""The certificates as they are told: measured over recorded bars, and kept beside the code that they are of."""

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("measured.json")
NOT_CHECKED = "not independently checked"


def certificates() -> dict[str, dict]:
    """By the indicator's name: `first_value`, `live_difference`, `looks_ahead`, `settled`, `reference_difference`,
    and `behaviour` by the name of a series: `bars`, `with_value`, `without`, `live_difference`, `unit_difference`.
    """
    return _kept()["certificates"]


def origin() -> dict:
    """Of what they are: `measured_at`, the `convention` and the `library` that were measured, and over which `bars`."""
    return {name: value for name, value in _kept().items() if name != "certificates"}


@cache
def _kept() -> dict:
    return json.loads(FILE.read_text())
