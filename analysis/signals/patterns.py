"""The rules of candlestick patterns: one for each direction in which TA-Lib sees one. Pure."""

from analysis.indicators import catalogue
from analysis.indicators.entry import PATTERN
from analysis.signals.rule import DOWN, NEITHER, UP, Rule

_RISING = {
    "3starsinsouth", "3whitesoldiers", "concealbabyswall", "hammer", "homingpigeon", "invertedhammer", "ladderbottom",
    "matchinglow", "mathold", "morningdojistar", "morningstar", "piercing", "sticksandwich", "unique3river",
}  # fmt: skip
_FALLING = {
    "2crows", "3blackcrows", "advanceblock", "darkcloudcover", "eveningdojistar", "eveningstar", "hangingman",
    "identical3crows", "inneck", "onneck", "shootingstar", "stalledpattern", "thrusting", "upsidegap2crows",
}  # fmt: skip
# Of these the sign is the colour of the candle, or always the same: nobody says that a price goes its way.
_NEITHER = {
    "doji", "dragonflydoji", "gravestonedoji", "highwave", "longleggeddoji", "longline", "rickshawman", "shortline",
    "spinningtop", "takuri",
}  # fmt: skip


def _rules(name: str) -> list[Rule]:
    entry, called = catalogue.ENTRIES[f"cdl{name}"], f"pattern_{name}"
    key, about = entry.with_defaults().key, {"title": entry.title, "source": entry.source, "every": True, "of": PATTERN}
    if name in _NEITHER:
        return [Rule(name=called, direction=NEITHER, text=f"not ({key} = 0)", **about)]
    rising = Rule(name=called if name in _RISING else f"{called}_up", direction=UP, text=f"{key} > 0", **about)
    falling = Rule(name=called if name in _FALLING else f"{called}_down", direction=DOWN, text=f"{key} < 0", **about)
    return [each for each, others in ((rising, _FALLING), (falling, _RISING)) if name not in others]


RULES = [
    rule
    for name, entry in catalogue.ENTRIES.items()
    if entry.kind == PATTERN
    for rule in _rules(name.removeprefix("cdl"))
]
