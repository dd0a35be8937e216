"""The recorded source: real sessions, played one after the other.

source          what the feed and the jobs see
recording       the sessions themselves
seeds           the symbols it begins with
"""

from django.utils.translation import gettext_lazy as _

from market.sources.contract import About
from market.sources.replay.seeds import SEEDS

ABOUT = About(
    name="replay",
    title=_("Replay"),
    loaded_from="market.sources.replay.source.Replay",
    can=frozenset({"history", "live"}),
    seeds=SEEDS,
    is_recorded=True,
    has_hours=False,
    may_be_steered=True,
)
