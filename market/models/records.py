"""Highs and lows."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.source import DataSource
from market.models.symbols import Symbol


class RecordQuerySet(models.QuerySet):
    def running(self) -> "RecordQuerySet":
        """Those of the pass that runs."""
        return self.filter(pass_number=DataSource.objects.running_pass())


class Scope(models.TextChoices):
    ALL_TIME = "all_time", _("all time")
    YEAR = "52_weeks", _("52 weeks")


class HighAndLow(models.Model):
    """A highest high and a lowest low, split-adjusted to today's shares."""

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

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.scope}"


class Record(HighAndLow):
    """Those of a symbol, all time and 52 weeks, in each pass of a recording that is kept."""

    Scope = Scope

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="records", db_index=False)

    objects = RecordQuerySet.as_manager()

    class Meta:
        db_table = "market_recordofpass"
        constraints = [
            models.UniqueConstraint(fields=["symbol", "scope", "pass_number"], name="one_record_a_scope_and_pass")
        ]


class NewestRecord(HighAndLow):
    """The same of the newest pass alone, where the version before reads and writes them by a key without a pass. The
    next version does without.
    """

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        db_table = "market_record"
        constraints = [models.UniqueConstraint(fields=["symbol", "scope"], name="one_record_a_scope")]
