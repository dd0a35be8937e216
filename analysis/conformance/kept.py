"""The certificates as they are told: measured over recorded bars, and kept beside the code that they are of."""

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("measured.json")
NOT_CHECKED = "not independently checked"


@cache
def certificates() -> dict[str, dict]:
    """By the indicator's name: `first_value`, `live_difference`, `looks_ahead`, `settled`, `reference_difference`."""
    return json.loads(FILE.read_text())
