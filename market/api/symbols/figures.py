"""The shape of a symbol's key figures. A unit stands with each, and with each that is null why it is."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from market.api.shapes import Shape
from market.figures import NAMES, telling, values
from market.prices import DAY, SECOND

# As it was recorded of Yahoo on 2025-02-14.
FIGURES = {
    "reason": None, "currency": "USD", "reporting_currency": "USD",
    "market_cap": 3674405863424.0, "price_earnings": 38.763866, "earnings_per_share": 6.31,
    "dividend_yield_percent": 0.41, "earnings_date": "2025-04-30", "earnings_date_to": "2025-05-05",
    "is_earnings_date_estimated": True, "ex_dividend_date": None,
    "missing": {"ex_dividend_date": {"reason": "not_told", "since": "2025-02-15"}}, "kept": {},
    "as_of": "2025-02-14T21:00:00Z", "as_of_precision": "second", "received_at": "2025-02-15T12:00:00Z",
    "source": "yahoo",
}  # fmt: skip
_WHY_NONE = [telling.SOURCE_HAS_NONE, telling.NOT_APPLICABLE, telling.NOT_ASKED_YET]
_WHY_MISSING = [
    values.NOT_TOLD, values.NO_EARNINGS, values.NO_DIVIDEND, values.PAST, values.UNCLEAR, values.NOT_COME,
    values.NOT_APPLICABLE,
]  # fmt: skip


class MissingFigure(Shape):
    reason = serializers.ChoiceField(
        _WHY_MISSING,
        help_text="`not_told`: the source has none. `no_earnings`: a price over a loss says nothing. `no_dividend`: it "
        "pays none. `past`: the last date that was told is over. `unclear`: the source contradicts itself in a unit or "
        "a currency. `not_come`: the answer to it failed, and nothing came before. `not_applicable`: nothing of its "
        "kind has any.",
    )
    since = serializers.DateField(allow_null=True, help_text="The day since which it is missing for that.")


class KeptFigure(Shape):
    reason = serializers.CharField(
        help_text="Why nothing newer is told: `unclear`, or the code of the failure, such as `upstream_down`."
    )
    as_of = serializers.DateTimeField(help_text="Of this figure.")
    received_at = serializers.DateTimeField(help_text="When this figure came.")


@extend_schema_serializer(component_name="KeyFigures")
class KeyFiguresShape(Shape):
    reason = serializers.ChoiceField(
        _WHY_NONE,
        allow_null=True,
        help_text="Why there are none at all; null where there are. `source_has_none`: as a recording. "
        "`not_applicable`: of an index, a currency pair or a future. `not_asked_yet`: they are asked for once a day.",
    )
    currency = serializers.CharField(
        allow_null=True, help_text="Of the amounts: GBP also where prices are told in pence."
    )
    reporting_currency = serializers.CharField(
        allow_null=True, help_text="In which the company reports; null where that is not told."
    )
    market_cap = serializers.FloatField(
        allow_null=True, help_text="What all shares, or all coins, are worth, in whole units of `currency`."
    )
    price_earnings = serializers.FloatField(
        allow_null=True, help_text="The price over the earnings of the last twelve months; a plain ratio."
    )
    earnings_per_share = serializers.FloatField(
        allow_null=True, help_text="Of the last twelve months, in `currency`; below zero of a loss."
    )
    dividend_yield_percent = serializers.FloatField(
        allow_null=True,
        help_text="What a share is paid a year at the newest rate, in percent points of the price (1.25 is 1.25 %).",
    )
    earnings_date = serializers.DateField(
        allow_null=True,
        help_text="When earnings are told next, by the exchange's date, or the first of the days on which they may be.",
    )
    earnings_date_to = serializers.DateField(allow_null=True, help_text="The last of those days; null where it is one.")
    is_earnings_date_estimated = serializers.BooleanField(
        allow_null=True, help_text="Whether the source has guessed it; null where it does not say."
    )
    ex_dividend_date = serializers.DateField(
        allow_null=True,
        help_text="The first session without the newest dividend that is announced; it may be past.",
    )
    missing = serializers.DictField(
        child=MissingFigure(), help_text=f"Of each of these that is null, why: {', '.join(NAMES)}."
    )
    kept = serializers.DictField(
        child=KeptFigure(), help_text="Of each that did not come with the rest: why not, and of when it is."
    )
    as_of = serializers.DateTimeField(allow_null=True, help_text="The time of the price that they go with.")
    as_of_precision = serializers.ChoiceField([SECOND, DAY], allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True, help_text="When we got them.")
    source = serializers.CharField(allow_null=True, help_text="Where they came from.")
