"""What we hold of a symbol's bars of one interval."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.symbols import Symbol


class Coverage(models.Model):
    """One row for each (symbol, interval), beside its bars. Whoever writes those holds it locked meanwhile."""

    pk = models.CompositePrimaryKey("symbol_id", "interval")
    # Without a constraint, for which whoever makes the row would lock the symbol's.
    symbol = models.ForeignKey(
        Symbol, on_delete=models.CASCADE, related_name="coverage", db_index=False, db_constraint=False
    )
    interval = models.CharField(max_length=3)
    version = models.CharField(
        max_length=32, help_text=_("Changes with every write that changed a value; never given twice.")
    )
    source = models.CharField(max_length=16, default="")
    first_wanted = models.DateField(null=True, help_text=_("The first session that was asked for."))
    first_held = models.DateTimeField(null=True, help_text=_("The oldest bar's opening."))
    last_held = models.DateTimeField(null=True, help_text=_("The newest bar's opening."))
    unbroken_until = models.DateField(
        null=True, help_text=_("No session of the exchange's calendar is missing up to here, as last counted.")
    )
    complete_since = models.DateTimeField(null=True, help_text=_("When the whole history was stored first."))
    asked_until = models.DateField(
        null=True, help_text=_("Up to this session the source was asked for all that it has, and answered.")
    )
    holes_asked_at = models.DateTimeField(null=True, help_text=_("When the missing sessions were asked for last."))
    unknown_since = models.DateTimeField(
        null=True, help_text=_("Since when the source answers that there is no such symbol.")
    )
    unknown_at = models.DateTimeField(null=True, help_text=_("When it answered so last."))
    held = models.PositiveIntegerField(default=0, help_text=_("How many bars there are."))
    refused = models.PositiveIntegerField(default=0, help_text=_("How many bars could not be, of all that came."))
    quarantined = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("How many bars are held back until somebody looks at them.")
    )
    suspended_until = models.DateTimeField(null=True, help_text=_("The source is not asked before."))
    # Looked at by the version before alone, which counts anew where they are late.
    corrections = models.PositiveIntegerField(default=0, help_text=_("How many former values are kept."))
    acted_at = models.DateTimeField(null=True, help_text=_("When the newest split or dividend was received."))

    class Meta:
        ordering = ["symbol_id", "interval"]
        verbose_name_plural = _("coverage")

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.interval}"
