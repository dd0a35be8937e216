"""The protocol's own words on a page."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_CODE = re.compile("`([^`]+)`")


@register.filter
def with_code(text: str) -> SafeString:
    """What stands between backticks as code; all of it escaped."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", escape(text)))
