"""Quotes that are kept."""

from django.db import models

from market.models.symbols import Symbol


class Snapshot(models.Model):
    """A quote as it was received; kept to show how a session went."""

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="snapshots", db_index=False)
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
