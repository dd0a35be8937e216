"""From a recording to a source of now, as staff wished it: the feed ends, and changes before it starts anew."""

import logging

from finstage import afresh
from market import sources
from market.models import Symbol
from market.player import steering
from market.prices import Quote
from market.sources import ProviderError, Source
from monitoring import audit

FACTS = ("ticker", "name", "exchange", "currency", "time_zone", "asset_type", "price_decimals")
logger = logging.getLogger(__name__)


def when_wished() -> None:
    """Change to the source that is wished, if one is and tells a price; until it does nothing is taken away."""
    name, held = steering.wish().source, sources.held()
    if not name or held is None or held.name == name:
        return
    try:
        with audit.by_shell("source.change", name, was=held.name) as outcome:
            source = sources.load(name)
            outcome["first"] = str(_first_price(source))
            afresh.forget_live(is_running=True)
            afresh.begin(name, reason="staff went live")
    except ProviderError as error:
        logger.warning("%s goes on: %s tells no price (%s)", held.title, name, error)
        steering.give_up_source(name)


def _first_price(source: Source) -> Quote:
    """Raises ProviderError where it tells none."""
    wanted = [
        Symbol(**{name: getattr(seed, name) for name in FACTS})  # of which there need be none yet
        for seed in source.about.seeds
    ]
    found = next(iter(source.quotes(wanted)), None)
    if found is None:
        raise ProviderError(f"none of its {len(wanted)} first symbols has a price", code="no_data", temporary=True)
    return found
