"""Each indicator of each symbol stands alone: one that breaks has no value, with the reason, and costs no other."""

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from monitoring import metrics

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
Given = ParamSpec("Given")


def attempt(
    key: str, ticker: str, step: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs
) -> tuple[Answer | None, str]:
    """What a step answers and "", or None and why: the last line of defence between symbols and indicators."""
    try:
        return step(*given, **named), ""
    except Exception as error:
        metrics.INDICATORS_FAILED.labels(key).inc()
        logger.exception("%s of %s", key, ticker)
        return None, f"{type(error).__name__}: {error}"[:200]
