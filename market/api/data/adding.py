"""Symbols that people add, so many a day."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from market import symbols
from market.api.queries import unknown
from market.api.shapes import Shape
from market.sources import adding
from monitoring import audit, submissions
from monitoring.api.refusals import TooMany
from monitoring.queries import Text
from monitoring.submissions import Body

COLLECTED, ASKED = STATES = "collected", "asked"


class AdditionBody(Body):
    symbol = Text(max_length=32, help_text="As the source writes it.")


class AdditionShape(Shape):
    symbol = serializers.CharField()
    state = serializers.ChoiceField(STATES, help_text="`collected`: it was before; `asked`: the job looks for it.")
    task_id = serializers.UUIDField(
        allow_null=True, help_text="The job, which fails with `unknown_symbol` where the source does not know it."
    )


class TooManyAdditions(TooMany):
    default_code = "too_many_additions"

    def __init__(self, many: adding.TooManyAdded) -> None:
        super().__init__(str(many))
        self.wait = many.seconds


def add(request: Request) -> dict[str, Any]:
    """Ask for a symbol as a body says. Raises NotFound where nobody can know it, and TooManyAdditions."""
    text = submissions.read(AdditionBody, request.data)["symbol"]
    try:
        asked = adding.ask(text, request.user, audit.via(request))
    except symbols.UnknownSymbol:
        raise unknown(text) from None
    except adding.TooManyAdded as many:
        raise TooManyAdditions(many) from None
    return {"symbol": asked.ticker, "state": ASKED if asked.job else COLLECTED, "task_id": asked.job}
