"""How rows look in the admin's lists: a short id, a state with its hue and shape, a time as a person tells it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

from django.contrib.admin.filters import AllValuesFieldListFilter
from django.contrib.admin.views.main import ChangeList
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = "–"
BADGE = '<span class="badge" data-badge="{}"><i class="shape" aria-hidden="true"></i><span>{}</span></span>'


def short(pk: UUID) -> SafeString:
    """The end of an id, which differs where its beginning is a time; the whole of it on hover."""
    return format_html('<code title="{}">…{}</code>', pk, str(pk)[-8:])


def code(text: str) -> SafeString:
    """What programs read: the same in every language."""
    return format_html("<code>{}</code>", text)


def badge(state: str, word: object) -> SafeString:
    """state: one that the pages know by hue and shape."""
    return format_html(BADGE, state, word)


def ago(at: datetime | None) -> SafeString | str:
    """How long ago, or until when; the instant itself on hover, by the clock of whoever looks."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    written = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), written, naturaltime(at))


def worded(words: Callable[[str], object]) -> type[AllValuesFieldListFilter]:
    """A filter for `list_filter` that tells the values which there are as people call them, not as they are kept."""

    class Worded(AllValuesFieldListFilter):
        def choices(self, changelist: ChangeList) -> Iterator[dict]:
            everything, *values = super().choices(changelist)
            return iter([everything, *({**value, "display": words(value["display"])} for value in values)])

    return Worded
