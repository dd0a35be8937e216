"""Which sources there are, and which of them this database holds."""

import logging
import threading
from datetime import UTC, datetime

from django.conf import settings
from django.utils.module_loading import import_string

from market.models import DataSource
from market.sources.contract import Source
from market.sources.errors import ProviderError, WrongSource

logger = logging.getLogger(__name__)

# Loaded by name, so that yfinance is imported only by the processes that ask it.
SOURCES = {"yahoo": "market.sources.yahoo.source.Yahoo", "replay": "market.sources.replay.source.Replay"}
ANSWER_SECONDS = 3.0


def source() -> Source:
    """The source that this database holds; raises WrongSource where the settings ask for the other."""
    return _load(choose(settings.SOURCE).name)


def choose(asked: str) -> DataSource:
    """The source of this database, chosen at the first start: `asked`, or for `auto` what can be reached."""
    chosen = DataSource.objects.filter(pk=1).first() or _first(asked)
    if asked not in ("auto", chosen.name):
        raise WrongSource(
            f"This database holds prices of {chosen.name} and FINSTAGE_SOURCE asks for {asked}. Set it to "
            f"{chosen.name}, or start prices afresh with: {settings.MANAGE} switch_source {asked}"
        )
    return chosen


def _first(asked: str) -> DataSource:
    name, reason = _found() if asked == "auto" else (asked, "asked for by FINSTAGE_SOURCE")
    facts = {"name": name, "reason": reason, "chosen_at": datetime.now(UTC)}
    # Two processes may start at once: the first one's choice stands.
    return DataSource.objects.get_or_create(pk=1, defaults=facts)[0]


def _found() -> tuple[str, str]:
    if _answers_in_time("yahoo"):
        return "yahoo", f"Yahoo answered within {ANSWER_SECONDS:g} s at the first start"
    return "replay", f"Yahoo did not answer within {ANSWER_SECONDS:g} s at the first start"


def _answers_in_time(name: str) -> bool:
    """Ask aside, because a name server that hangs keeps to nobody's timeout."""
    found = threading.Event()
    asking = threading.Thread(target=_ask, args=(name, found), daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return found.is_set()


def _ask(name: str, found: threading.Event) -> None:
    try:
        if _load(name).answers(ANSWER_SECONDS):
            found.set()
    except (ProviderError, OSError, ImportError) as error:
        logger.info("%s cannot be reached: %s", name, error)


def _load(name: str) -> Source:
    return import_string(SOURCES[name])()
