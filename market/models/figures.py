"""Key figures."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.symbols import Symbol


class KeyFigures(models.Model):
    """What a source told last of a symbol beside its prices. A figure that is empty says why in `missing`."""

    # Without a constraint: the version before knows nothing of these rows and deletes symbols.
    symbol = models.OneToOneField(
        Symbol, on_delete=models.CASCADE, related_name="key_figures", primary_key=True, db_constraint=False
    )
    currency = models.CharField(max_length=8, help_text=_("Of the amounts: pounds, also where prices are in pence."))
    reporting_currency = models.CharField(
        max_length=8, null=True, help_text=_("In which the company reports; empty where that is not told.")
    )
    market_cap = models.FloatField(null=True, help_text=_("What all shares, or all coins, are worth."))
    price_earnings = models.FloatField(null=True, help_text=_("The price over the earnings of the last twelve months."))
    earnings_per_share = models.FloatField(null=True, help_text=_("Of the last twelve months."))
    dividend_yield_percent = models.FloatField(
        null=True, help_text=_("What a share is paid a year at the newest rate, in percent of the price.")
    )
    earnings_date = models.DateField(
        null=True, help_text=_("When earnings are told next, or the first of the days on which they may be.")
    )
    earnings_date_to = models.DateField(null=True, help_text=_("The last of those days; empty where there is one."))
    is_earnings_date_estimated = models.BooleanField(null=True)
    ex_dividend_date = models.DateField(
        null=True, help_text=_("The first session without the newest dividend that is announced, also a past one.")
    )
    missing = models.JSONField(
        default=dict, help_text=_("Of each figure that the source has none of: why, and since which day.")
    )
    kept = models.JSONField(
        default=dict, help_text=_("Of each figure that did not come with the rest: why, and of when it is.")
    )
    as_of = models.DateTimeField(help_text=_("Of the price that they go with."))
    received_at = models.DateTimeField()
    whole_at = models.DateTimeField(null=True, help_text=_("When all of them came last, and none was kept."))
    source = models.CharField(max_length=16)

    class Meta:
        ordering = ["symbol_id"]
        verbose_name_plural = _("key figures")

    def __str__(self) -> str:
        return f"{self.symbol_id} as of {self.as_of:%Y-%m-%d %H:%M}"
