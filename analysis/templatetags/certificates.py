"""What a certificate says, as people read it."""

from django import template
from django.utils.translation import pgettext, pgettext_lazy

register = template.Library()
_WORDS = {
    "flat": pgettext_lazy("certificate", "flat"),
    "tiny": pgettext_lazy("certificate", "tiny"),
    "huge": pgettext_lazy("certificate", "huge"),
    "gapped": pgettext_lazy("certificate", "gapped"),
    "without volume": pgettext_lazy("certificate", "without volume"),
    "short": pgettext_lazy("certificate", "short"),
}


@register.filter
def told(name: str) -> str:
    """What a part of a certificate is called; one without words by its code."""
    return str(_WORDS.get(name, name.replace("_", " ")))


@register.filter
def difference(value: float | None) -> str:
    """0, or its size: 3.5e-10; a dash where there is none."""
    if value is None:
        return "–"
    return "0" if value == 0 else f"{value:.1e}"


@register.filter
def plain(value: object) -> str:
    """Whatever it is, in a line."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return pgettext("certificate", "yes") if value else pgettext("certificate", "no")
    if isinstance(value, float):
        return difference(value) if abs(value) < 1e-3 or abs(value) >= 1e6 else f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{told(name)}: {plain(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return str(value)
