"""What the market is, in rows: symbols, their bars and snapshots, and what companies did to their shares."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DataSourceQuerySet(models.QuerySet):
    def epoch(self) -> int:
        """The current one; 1 before the first start has chosen a source."""
        return self.values_list("epoch", flat=True).first() or 1


class DataSource(models.Model):
    """The one source whose prices this database holds (a single row, id 1)."""

    name = models.CharField(max_length=16)
    reason = models.CharField(max_length=200, help_text=_("Why it was chosen: asked for, or found by `auto`."))
    chosen_at = models.DateTimeField()
    epoch = models.PositiveIntegerField(
        default=1, help_text=_("Grows when the recording rewinds or the source is switched; streams begin anew then.")
    )

    objects = DataSourceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class SymbolQuerySet(models.QuerySet):
    def tracked(self) -> "SymbolQuerySet":
        return self.filter(is_active=True).order_by("ticker")


class Symbol(models.Model):
    """Something with a price. The tracked set is these rows, not code."""

    class AssetType(models.TextChoices):
        EQUITY = "equity", _("share")
        ETF = "etf", _("exchange-traded fund")
        INDEX = "index", _("index")
        CURRENCY = "currency", _("currency pair")
        CRYPTO = "crypto", _("crypto currency")
        FUTURE = "future", _("future")
        FUND = "fund", _("fund")

    ticker = models.CharField(max_length=32, unique=True, help_text=_("As Yahoo writes it: AAPL, 005930.KS, ^GSPC."))
    name = models.CharField(max_length=200)
    exchange = models.CharField(max_length=8, help_text=_("Market identifier code (ISO 10383), such as XNAS."))
    currency = models.CharField(max_length=8)
    time_zone = models.CharField(max_length=64)
    asset_type = models.CharField(max_length=12, choices=AssetType, default=AssetType.EQUITY)
    price_decimals = models.PositiveSmallIntegerField(default=2)
    is_active = models.BooleanField(default=True, help_text=_("Only active symbols are collected."))
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SymbolQuerySet.as_manager()

    class Meta:
        ordering = ["ticker"]

    def __str__(self) -> str:
        return self.ticker


class Interval(models.TextChoices):
    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HALF_HOUR = "30m"
    HOUR = "1h"
    DAY = "1d"
    WEEK = "1wk"
    MONTH = "1mo"


class Bar(models.Model):
    """One interval of one symbol, as traded. Written only by `bars.upsert`."""

    pk = models.CompositePrimaryKey("symbol_id", "interval", "opened_at")
    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="bars")
    interval = models.CharField(max_length=3, choices=Interval)
    opened_at = models.DateTimeField()
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.BigIntegerField(null=True)
    is_final = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["symbol_id", "interval", "opened_at"]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.interval} {self.opened_at:%Y-%m-%d %H:%M}"


class BarRevision(models.Model):
    """What a bar was before a source corrected it."""

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="bar_revisions")
    interval = models.CharField(max_length=3, choices=Interval)
    opened_at = models.DateTimeField()
    revision = models.PositiveIntegerField()
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.BigIntegerField(null=True)
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField(help_text=_("When the replaced values had come."))
    replaced_at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "interval", "opened_at", "revision"], name="one_row_a_revision")
        ]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.interval} {self.opened_at:%Y-%m-%d} r{self.revision}"


class Snapshot(models.Model):
    """A quote as it was received; kept to show how a session went."""

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="snapshots")
    price = models.FloatField()
    previous_close = models.FloatField(null=True)
    volume = models.BigIntegerField(null=True)
    session_date = models.DateField()
    as_of = models.DateTimeField()
    as_of_precision = models.CharField(max_length=6)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=16)

    class Meta:
        # Also what finds a symbol's newest; written twice, it is one row.
        constraints = [
            models.UniqueConstraint(fields=["symbol", "received_at", "as_of"], name="one_snapshot_a_receipt")
        ]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.price} at {self.received_at:%Y-%m-%d %H:%M:%S}"


class CorporateAction(models.Model):
    """A split or a dividend. Bars stay as traded; adjusted views are computed from these on reading."""

    class Kind(models.TextChoices):
        SPLIT = "split", _("split")
        DIVIDEND = "dividend", _("dividend")

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=8, choices=Kind)
    ex_date = models.DateField(help_text=_("The first session that trades without it."))
    value = models.FloatField(
        help_text=_("Split: new shares for one old (2 for 2:1). Dividend: cash per share, as paid.")
    )
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["ex_date"]
        constraints = [models.UniqueConstraint(fields=["symbol", "kind", "ex_date"], name="one_action_a_day")]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.kind} {self.value:g} on {self.ex_date}"


class Record(models.Model):
    """The highest high and lowest low of a symbol, all time and 52 weeks, split-adjusted to today's shares."""

    class Scope(models.TextChoices):
        ALL_TIME = "all_time", _("all time")
        YEAR = "52_weeks", _("52 weeks")

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="records")
    scope = models.CharField(max_length=8, choices=Scope)
    high = models.FloatField()
    high_date = models.DateField()
    low = models.FloatField()
    low_date = models.DateField()
    as_of = models.DateField(help_text=_("The last session counted."))
    source = models.CharField(max_length=16)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["symbol", "scope"], name="one_record_a_scope")]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.scope}"
