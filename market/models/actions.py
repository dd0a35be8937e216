"""What companies did to their shares, as it stands and as it was told before."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.symbols import Symbol


class Decision(models.TextChoices):
    """What somebody said of an action that a source itself contradicts; until then it counts as it is told."""

    ACCEPTED = "accepted", _("accepted as told")
    KEPT_OUT = "kept_out", _("kept out of adjusted prices")


class FactQuerySet(models.QuerySet):
    def counted(self) -> "FactQuerySet":
        """Without those that somebody keeps out of adjusted views."""
        return self.exclude(decision=Decision.KEPT_OUT)


class Fact(models.Model):
    """What a source named of one day. A split says new shares for old ones, the others what a share was paid.

    numerator, denominator: new shares and the old ones they stand for, so that 1:3 stays exact; None of other kinds.
    Their quotient is the value.
    """

    kind = models.CharField(max_length=16)  # of Kind, or one that is to come
    ex_date = models.DateField(help_text=_("The first session that trades without it."))
    ordinal = models.PositiveSmallIntegerField(default=0, db_default=0)  # several of one kind may share a day
    value = models.FloatField(
        help_text=_("Split: new shares for one old (2 for 2:1). Dividend: cash per share, as paid.")
    )
    numerator = models.FloatField(null=True)
    denominator = models.FloatField(null=True)
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField(help_text=_("When it was told first."))
    disputed = models.CharField(
        max_length=200, null=True, help_text=_("What the source itself contradicts of it; nothing where it is empty.")
    )
    decision = models.CharField(max_length=8, null=True, choices=Decision, help_text=_("What somebody said of it."))
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=150, null=True)

    objects = FactQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.kind} {self.value:g} on {self.ex_date}"

    @property
    def is_counted(self) -> bool:
        """Whether adjusted views count it."""
        return self.decision != Decision.KEPT_OUT


class CorporateAction(Fact):
    """One that stands. Bars stay as traded; adjusted views are computed from these on reading."""

    class Kind(models.TextChoices):
        SPLIT = "split", _("split")
        DIVIDEND = "dividend", _("dividend")
        CAPITAL_GAIN = "capital_gain", _("capital gain")
        SPIN_OFF = "spin_off", _("spin-off")
        RENAME = "rename", _("rename")

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="actions", db_index=False)

    class Meta:
        ordering = ["ex_date"]
        constraints = [
            models.UniqueConstraint(fields=["symbol", "kind", "ex_date", "ordinal"], name="one_action_a_place")
        ]


class SupersededAction(Fact):
    """One that a later answer told otherwise, or no longer named within its range. Its key is the one it had."""

    id = models.BigIntegerField(primary_key=True)
    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="superseded_actions", db_constraint=False)
    superseded_at = models.DateTimeField()
    superseded_by = models.BigIntegerField(
        null=True, help_text=_("The key of the action in its place, which may be superseded too; none where none is.")
    )

    class Meta:
        ordering = ["symbol_id", "ex_date", "superseded_at"]
