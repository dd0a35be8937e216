"""Highs and lows."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.source import DataSource
from market.models.symbols import Symbol


class RecordQuerySet(models.QuerySet):
    def running(self) -> "RecordQuerySet":
        """Those of the pass that runs."""
        return self.filter(pass_number=DataSource.objects.running_pass())


class Record(models.Model):
    """The highest high and lowest low of a symbol, all time and 52 weeks, split-adjusted to today's shares."""

    class Scope(models.TextChoices):
        ALL_TIME = "all_time", _("all time")
        YEAR = "52_weeks", _("52 weeks")

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="records", db_index=False)
    scope = models.CharField(max_length=8, choices=Scope)
    high = models.FloatField()
    high_date = models.DateField()
    low = models.FloatField()
    low_date = models.DateField()
    as_of = models.DateField(help_text=_("The last session counted."))
    # Null where a version before wrote the row.
    since = models.DateField(null=True, help_text=_("The first session counted."))
    source = models.CharField(max_length=16)
    computed_at = models.DateTimeField()
    version = models.CharField(
        max_length=32, null=True, help_text=_("Of the bars that they were computed from; null of a version before.")
    )
    pass_number = models.PositiveIntegerField(
        default=1, db_default=1, help_text=_("The pass of a recording that they are of.")
    )

    objects = RecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["symbol", "scope"], name="one_record_a_scope")]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.scope}"
