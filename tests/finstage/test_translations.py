"""Every text for people is there in Korean too."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.conf import settings

FOLDERS = ("finstage", "monitoring", "market", "analysis", "realtime")
CALLS = {"_", "gettext", "gettext_lazy"}
IN_TEMPLATE = re.compile(r"""{%\s*(?:trans|translate)\s+("([^"]+)"|'([^']+)')\s*(?!context)(?:as \w+ )?%}""")
CATALOGUE = Path(settings.BASE_DIR) / "locale" / "ko" / "LC_MESSAGES" / "django.mo"


def said_in_code() -> Iterator[str]:
    for path in (path for folder in FOLDERS for path in sorted((settings.BASE_DIR / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            is_text = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS
            if is_text and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def said_in_templates() -> Iterator[str]:
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")):
        yield from (found[1] or found[2] for found in IN_TEMPLATE.findall(path.read_text()))


@pytest.mark.parametrize("texts", [said_in_code, said_in_templates])
def test_every_text_for_people_is_there_in_korean(texts):
    with CATALOGUE.open("rb") as file:
        known = GNUTranslations(file)._catalog
    said = set(texts())
    assert len(said) > 20
    assert sorted(said - known.keys()) == []
