"""What rules saw on bars."""

from collections.abc import Collection, Iterator

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from market.history import derived
from market.history.derived import Derived
from market.intervals import named
from market.models import DataSource, Symbol


class OfPass(models.QuerySet):
    def running(self) -> "OfPass":
        """Those of the pass that runs."""
        return self.filter(pass_number=DataSource.objects.running_pass())


class OfSymbol(models.Model):
    """What is of a symbol. No constraint: the version before deletes a symbol and knows nothing of these rows."""

    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    interval = models.CharField(max_length=3)
    pass_number = models.PositiveIntegerField(default=1, help_text=_("The pass of a recording that it is of."))

    class Meta:
        abstract = True


class Signal(OfSymbol):
    """A rule fired on a bar: once, and it stays, whatever becomes of it."""

    class State(models.TextChoices):
        PROVISIONAL = "provisional", pgettext_lazy("of a signal", "provisional")
        CONFIRMED = "confirmed", pgettext_lazy("of a signal", "confirmed")
        WITHDRAWN = "withdrawn", pgettext_lazy("of a signal", "withdrawn")
        REVISED = "revised", pgettext_lazy("of a signal", "revised")

    class SeenBy(models.TextChoices):
        LIVE = "live", pgettext_lazy("seen", "live")
        HISTORY = "history", pgettext_lazy("seen", "in the history")

    class Direction(models.TextChoices):
        UP = "up", pgettext_lazy("direction", "up")
        DOWN = "down", pgettext_lazy("direction", "down")
        NEITHER = "none", pgettext_lazy("direction", "neither")

    rule = models.CharField(max_length=60)
    direction = models.CharField(max_length=4, choices=Direction)
    opened_at = models.DateTimeField(help_text=_("The bar's opening."))
    session_date = models.DateField(help_text=_("The exchange's own date of the bar."))
    state = models.CharField(
        max_length=11,
        choices=State,
        help_text=_("Provisional until the source has settled the bar; revised where the bar was corrected since."),
    )
    holds = models.BooleanField(default=True, help_text=_("Whether the rule fires by the bars as they are known now."))
    price = models.FloatField(help_text=_("The bar's close, as traded."))
    values = models.JSONField(null=True, help_text=_("What the rule read there, split-adjusted as of its version."))
    live = models.JSONField(null=True, help_text=_("What was seen live where the history has it otherwise."))
    seen_by = models.CharField(max_length=7, choices=SeenBy)
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(help_text=_("When its state was set."))
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField()
    version = models.CharField(max_length=32, help_text=_("Of the bars that it was computed from."))

    objects = OfPass.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["symbol", "pass_number", "interval", "opened_at", "rule", "direction"],
                name="one_signal_a_rule_and_bar",
            )
        ]
        indexes = [models.Index(fields=["pass_number", "opened_at"], name="signals_by_bar")]

    def __str__(self) -> str:
        return f"{self.rule} {self.symbol_id} {self.session_date}"


class UntoldSignal(models.Model):
    """A signal whose newest state is still to be told on its stream; gone once it was."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="untold", db_constraint=False)

    def __str__(self) -> str:
        return str(self.signal_id)


class SignalSpan(OfSymbol):
    """How far the signals of a symbol have been computed from its history, and from which version of its bars."""

    since = models.DateField(help_text=_("The first session counted."))
    session_date = models.DateField(help_text=_("The last session counted."))
    settled = models.DateField(null=True, help_text=_("The last of them that was settled then."))
    version = models.CharField(max_length=32, help_text=_("Of the bars that they were computed from."))
    rules = models.CharField(max_length=32, help_text=_("Of the rules: others are computed anew."))
    digest = models.CharField(
        max_length=32, help_text=_("Of all that fired: where it is another, each row is compared.")
    )
    computed_at = models.DateTimeField()

    objects = OfPass.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["symbol", "pass_number", "interval"], name="one_signal_span_an_interval")
        ]

    def __str__(self) -> str:
        return f"{self.symbol_id} {self.interval}"


def _derived(symbols: Collection[int]) -> Iterator[Derived]:
    columns = ("interval", "symbol_id", "version", "computed_at", "since", "session_date")
    rows = SignalSpan.objects.running().filter(symbol_id__in=symbols).order_by("interval").values_list(*columns)
    for interval, symbol, *rest in rows:
        yield Derived("signals", interval, symbol, named(interval).stored_as, "split", *rest)


derived.KINDS["signals"] = _derived
