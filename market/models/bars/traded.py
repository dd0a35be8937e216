"""Bars as traded, and what they were before a correction."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.symbols import Symbol


class Bar(models.Model):
    """One interval of one symbol, as traded. Written only by `bars.upsert`."""

    pk = models.CompositePrimaryKey("symbol_id", "interval", "opened_at")
    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="bars", db_index=False)
    interval = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    session_date = models.DateField(null=True)  # never null: to say so would copy the largest table
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.BigIntegerField(null=True)
    is_final = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, null=True)  # closed or final; null, as a version before wrote it: is_final
    confirmed_at = models.DateTimeField(null=True)  # when a later answer last said the same; null: none did

    class Meta:
        ordering = ["symbol_id", "interval", "opened_at"]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.interval} {self.opened_at:%Y-%m-%d %H:%M}"


class BarRevision(models.Model):
    """What a final bar was before a source corrected it."""

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="bar_revisions", db_index=False)
    interval = models.CharField(max_length=3)
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
    confirmed_at = models.DateTimeField(null=True, help_text=_("When a later answer last said the same."))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "interval", "opened_at", "revision"], name="one_row_a_revision")
        ]
        indexes = [
            models.Index(fields=["replaced_at"], name="revision_by_its_time")
        ]  # of all symbols, the newest first

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.interval} {self.opened_at:%Y-%m-%d} r{self.revision}"
