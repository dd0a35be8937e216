"""What a company can have done to its shares. Pure. Answers why it can't be, or None where it can."""

from market import prices
from market.actions.adjustments import RESTATING
from market.prices import Action

LARGEST_RATIO = 1e5  # shares for one: the largest that are known are thousands


def action_fault(action: Action) -> str | None:
    if not prices.is_number(action.value) or action.value <= 0:
        return f"a {action.kind} of {action.value!r}"
    if action.kind in RESTATING and not 1 / LARGEST_RATIO <= action.value <= LARGEST_RATIO:
        return f"{action.value:g} new shares for an old one"
    if action.value > prices.LARGEST_PRICE:
        return f"a {action.kind} of {action.value:g} a share"
    return None
