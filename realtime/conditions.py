"""When a rule rings, and whether its condition holds: pure functions of quotes and the rule's level.

What rings does so on the crossing alone, from the last quote we saw to the quote now, so a price that stays beyond its
line rings once. `before` is None where nothing was seen yet; of an earlier session it is in today's shares, as far as
splits are known. They are two trees of `analysis.conditions`, written by hand because every quote
passes them: a test holds them equal.
"""

from collections.abc import Callable

from market.prices import Quote

# A price last seen in an earlier session and the close that followed it do not stand this far apart, unless the shares
# were split in between, which nobody has named yet, or we were away for long. Known splits are counted in before.
SPLIT_RATIO = 1.2
PLUNGE_PERCENT = -5.0


def price_above(before: Quote | None, now: Quote, level: float) -> bool:
    """The price went over the level since we last saw it, in this session or while it was closed."""
    last = _last_price(before, now)
    return last is not None and last <= level and is_above(now, level)


def plunge(before: Quote | None, now: Quote, percent: float | None = PLUNGE_PERCENT) -> bool:
    """The session's change from its previous close reached `percent` (negative percent points).

    The change is of the session: the first quote of one that opens with a gap rings, whatever the last session did.
    """
    was_down = before is not None and _same_session(before, now) and is_down(before, percent)
    return is_down(now, percent) and not was_down


def is_above(now: Quote, level: float) -> bool:
    """The price is over the level."""
    return now.price > level


def is_down(now: Quote, percent: float | None = PLUNGE_PERCENT) -> bool:
    """The session's change from its previous close is at `percent` or below it."""
    line = PLUNGE_PERCENT if percent is None else percent
    # Rounded, because 100 to 95 is -5.000000000000004 % in float64 and others miss the line from above.
    return now.change_percent is not None and round(now.change_percent, 9) <= line


CONDITIONS: dict[str, Callable[[Quote | None, Quote, float], bool]] = {"price_above": price_above, "plunge": plunge}
HOLDING: dict[str, Callable[[Quote, float | None], bool]] = {"price_above": is_above, "plunge": is_down}


def _last_price(before: Quote | None, now: Quote) -> float | None:
    """The price before this one, on this session's basis.

    Only `previous_close` is restated for a split, so it stands in where what we saw was of other shares, or nothing.
    """
    if before is None:
        return now.previous_close
    if _same_session(before, now) or now.previous_close is None:
        return before.price
    if min(before.price, now.previous_close) <= 0:  # as a future may cost, which is never split
        return before.price
    ratio = now.previous_close / before.price
    return before.price if 1 / SPLIT_RATIO < ratio < SPLIT_RATIO else now.previous_close


def _same_session(before: Quote, now: Quote) -> bool:
    return before.session_date == now.session_date
