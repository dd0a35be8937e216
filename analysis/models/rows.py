"""The newest values of the default indicators."""

from collections.abc import Collection, Iterator
from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from market import intervals
from market.history import derived
from market.history.derived import Derived
from market.models import DataSource, Symbol

# The outputs of the default set of indicators on 1d and longer, by the columns that hold them; a test holds them to the
# catalogue's.
OUTPUTS = {
    **{f"{name}_{period}": (f"{name}_{period}", name) for name in ("sma", "ema") for period in (5, 10, 20, 50, 200)},
    "rsi_14": ("rsi_14", "rsi"),
    "macd": ("macd_12_26_9", "macd"),
    "macd_signal": ("macd_12_26_9", "macdsignal"),
    "macd_histogram": ("macd_12_26_9", "macdhist"),
    "band_upper": ("bbands_20_2", "upperband"),
    "band_middle": ("bbands_20_2", "middleband"),
    "band_lower": ("bbands_20_2", "lowerband"),
    "atr_14": ("atr_14", "atr"),
    "stochastic_k": ("stoch_14_3_3", "slowk"),
    "stochastic_d": ("stoch_14_3_3", "slowd"),
    "adx_14": ("adx_14", "adx"),
    "obv": ("obv", "obv"),
    "vwap_20": ("vwap_20", "vwap"),
}
BEFORE = "before_"  # the prefix of a column that holds the value of the bar before


class IndicatorRowQuerySet(models.QuerySet):
    def running(self) -> "IndicatorRowQuerySet":
        """Those of the pass that runs."""
        return self.filter(pass_number=DataSource.objects.running_pass())


class IndicatorRow(models.Model):
    """The default set of indicators of a symbol at its last bar that is over, and at the bar before: wide, so that
    many symbols are screened and compared in one statement.

    Null has no value: too few bars, or 0/0. Split-adjusted to today's shares.
    """

    # Without a constraint: the version before knows nothing of these rows.
    symbol = models.ForeignKey(
        Symbol, on_delete=models.CASCADE, related_name="indicator_rows", db_index=False, db_constraint=False
    )
    interval = models.CharField(max_length=3)
    opened_at = models.DateTimeField(help_text=_("The last bar's opening."))
    session_date = models.DateField(help_text=_("The exchange's own date of the last bar."))
    since = models.DateField(help_text=_("The first session counted."))
    state = models.CharField(max_length=8, help_text=_("Of the last bar: closed, or final once it is settled."))
    close = models.FloatField()
    before_close = models.FloatField(null=True)
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField()
    computed_at = models.DateTimeField()
    version = models.CharField(max_length=32, help_text=_("Of the bars that they were computed from."))
    pass_number = models.PositiveIntegerField(default=1, help_text=_("The pass of a recording that they are of."))

    objects = IndicatorRowQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["symbol", "interval"], name="one_indicator_row_an_interval")]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.interval}"


for _column in OUTPUTS:
    for _name in (_column, BEFORE + _column):
        models.FloatField(null=True).contribute_to_class(IndicatorRow, _name)


def _derived(symbols: Collection[int]) -> Iterator[Derived]:
    columns = ("interval", "symbol_id", "version", "computed_at", "since", "session_date")
    rows = IndicatorRow.objects.running().filter(symbol_id__in=symbols).order_by("interval").values_list(*columns)
    for name, symbol, version, computed_at, since, session in rows:
        interval = intervals.named(name)
        last = interval.dated(session + timedelta(seconds=interval.seconds)) - timedelta(days=1)
        yield Derived("indicators", name, symbol, interval.stored_as, "split", version, computed_at, since, last)


derived.KINDS["indicators"] = _derived
