"""Every text for people is there in Korean too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import FilterExpression
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation.trans_real import translation

from analysis.indicators.entries import ENTRIES
from analysis.indicators.entry import PATTERN
from analysis.signals.catalogue import RULES

FOLDERS = ("finstage", "monitoring", "market", "analysis", "realtime")
# By what is called, which of its arguments is the context and which the text; of several the first one names all.
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"), (None, 0)),
    **dict.fromkeys(("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"), (0, 1)),
}
TEMPLATES = Path(settings.BASE_DIR) / "templates"


def said_in_code() -> Iterator[str]:
    for path in (path for folder in FOLDERS for path in sorted((settings.BASE_DIR / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if name in CALLS and isinstance(node.args[CALLS[name][1]], ast.Constant):
                context, text = CALLS[name]
                yield key(node.args[text].value, "" if context is None else node.args[context].value)


def said_in_templates() -> Iterator[str]:
    for path in sorted(each for kind in ("*.html", "*.txt") for each in TEMPLATES.rglob(kind)):
        nodes = get_template(str(path.relative_to(TEMPLATES))).template.nodelist
        for node in nodes.get_nodes_by_type(TranslateNode):
            yield key(str(node.filter_expression.var.literal).replace("%", "%%"), of(node.message_context))
        for node in nodes.get_nodes_by_type(BlockTranslateNode):
            yield key(node.render_token_list(node.singular)[0], of(node.message_context))


def of(context: FilterExpression | None) -> str:
    return "" if context is None else context.resolve({})


def key(text: str, context: str = "") -> str:
    """As a catalogue knows it."""
    return f"{context}\4{text}" if context else text


def titles_of_indicators() -> Iterator[str]:
    """TA-Lib's, or an entry's own."""
    return (key(entry.title, "indicator") for entry in ENTRIES.values())


def titles_of_rules() -> Iterator[str]:
    return (key(rule.title, "indicator" if rule.of == PATTERN else "signal") for rule in RULES.values())


@pytest.mark.parametrize(
    ("texts", "some"),
    [
        (said_in_code, "of a bar\4final"),
        (said_in_templates, "step\4Next"),
        (titles_of_indicators, "indicator\4Ichimoku Cloud"),
        (titles_of_rules, "signal\4Golden Cross"),
    ],
)
def test_every_text_for_people_is_there_in_korean(texts, some):
    known = translation("ko")._catalog
    said = set(texts())
    assert some in said
    assert sorted(text for text in said if text not in known and (text, 0) not in known) == []
