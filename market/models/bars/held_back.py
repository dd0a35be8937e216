"""What came of bars and is none of them, or not as it came: told before it settled, contradictory, or held back."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.symbols import Symbol


class Told(models.Model):
    """What a source told of one bar. No constraint: a version before deletes a symbol and knows nothing of the row."""

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    interval = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.BigIntegerField(null=True)
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField(help_text=_("When it was told first."))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.interval} {self.opened_at:%Y-%m-%d %H:%M}"


class ProvisionalBar(Told):
    """What a closed bar was before the source settled it, which is no correction; in the order of its coming."""

    ordinal = models.PositiveIntegerField()
    confirmed_at = models.DateTimeField(null=True, help_text=_("When a later answer last said the same."))
    replaced_at = models.DateTimeField(help_text=_("When the values in its place were received."))

    class Meta:
        ordering = ["symbol_id", "interval", "opened_at", "ordinal"]
        constraints = [
            models.UniqueConstraint(
                fields=["symbol", "interval", "opened_at", "ordinal"], name="one_provisional_a_place"
            )
        ]


class MarkedBar(Told):
    """The raw values of a bar that contradict each other a little; the bar is kept, with the range that holds them."""

    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["symbol_id", "interval", "opened_at", "received_at"]
        indexes = [models.Index(fields=["symbol", "interval", "opened_at"], name="marked_bar_of_a_symbol")]


class QuarantinedBar(Told):
    """A bar that is held back as hardly true, until a later answer says otherwise or somebody releases it."""

    session_date = models.DateField()
    state = models.CharField(max_length=8)
    reason = models.CharField(max_length=200)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=150, blank=True, default="", help_text=_("Who let it through."))

    class Meta:
        ordering = ["-received_at", "symbol_id", "interval", "opened_at"]
        indexes = [models.Index(fields=["symbol", "interval", "opened_at"], name="quarantined_bar_of_a_symbol")]


class Confirmation(models.Model):
    """The bars that an answer told as they were known. By these a late answer finds its place between them.

    openings: seconds since 1970, int64, ascending. volumes: int64 beside them, where one was not told as it is kept.
    """

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    interval = models.CharField(max_length=3)
    received_at = models.DateTimeField()
    openings = models.BinaryField()
    volumes = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "interval", "received_at"], name="one_confirmation_an_answer")
        ]
