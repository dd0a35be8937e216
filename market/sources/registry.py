"""Which sources there are, and which of them this database holds."""

import logging
import threading
from datetime import UTC, datetime

from django.conf import settings
from django.utils.module_loading import import_string

from market.calendars import hours
from market.models import DataSource
from market.sources.contract import Ability, About, Source
from market.sources.errors import ProviderError, WrongSource
from market.sources.pace import abreast

logger = logging.getLogger(__name__)

SOURCES: dict[str, About] = {each.name: each for each in (import_string(f"{path}.ABOUT") for path in settings.SOURCES)}
ANSWER_SECONDS = 3.0


def source() -> Source:
    """The source that this database holds; raises WrongSource where the settings ask for the other."""
    return load(choose(settings.SOURCE).name)


def load_ahead() -> None:
    """Import what the source of this database is made of, if one is chosen, and have the calendars that it keeps to:
    many processes are forked from here.
    """
    if found := held():
        import_string(found.loaded_from)
        for exchange in hours.exchanges() if found.has_hours else ():
            hours.calendar(exchange)


def about(name: str) -> About:
    """What a source is. Raises WrongSource where there is none of that name."""
    if name not in SOURCES:
        raise WrongSource(f"There is no source {name!r}; there are {', '.join(SOURCES)}.")
    return SOURCES[name]


def title(name: str) -> str:
    """As the source calls itself; one that this version does not know stays as it is."""
    return str(SOURCES[name].title) if name in SOURCES else name


def held() -> About | None:
    """What the source of this database is; None before the first start has chosen one."""
    name = DataSource.objects.filter(pk=1).values_list("name", flat=True).first()
    return None if name is None else about(name)


def has_hours() -> bool:
    """Whether the exchanges of this database keep to their calendars, as they do before a source is chosen."""
    found = held()
    return found is None or found.has_hours


def portion() -> int:
    """How many symbols one job of several asks the source of this database about."""
    found = held()
    return found.portion if found else abreast.LEAST


def can(ability: Ability) -> bool:
    """Whether the source of this database can; one that is not chosen yet may."""
    found = held()
    return found is None or ability in found.can


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
    *asked, last = SOURCES
    within = f"within {ANSWER_SECONDS:g} s at the first start"
    for name in asked:
        if _answers_in_time(name):
            return name, f"{SOURCES[name].title} answered {within}"
    return last, f"{' and '.join(str(SOURCES[name].title) for name in asked)} did not answer {within}"


def _answers_in_time(name: str) -> bool:
    """Ask aside, because a name server that hangs keeps to nobody's timeout."""
    found = threading.Event()
    asking = threading.Thread(target=_ask, args=(name, found), daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return found.is_set()


def _ask(name: str, found: threading.Event) -> None:
    try:
        if load(name).answers(ANSWER_SECONDS):
            found.set()
    except (ProviderError, OSError, ImportError) as error:
        logger.info("%s cannot be reached: %s", name, error)


def load(name: str) -> Source:
    """A source, whichever this database holds."""
    # Loaded by name, so that yfinance is imported only by the processes that ask it.
    return import_string(about(name).loaded_from)()
