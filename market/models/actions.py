"""What companies did to their shares."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.symbols import Symbol


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
