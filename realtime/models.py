"""What people are told: the rules they set and the alerts that rang."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models import DataSource, Symbol
from realtime import wording

SEVERITIES = [("info", _("info")), ("warning", _("warning")), ("critical", _("critical"))]


class AlertRule(models.Model):
    """A condition to watch. Without an owner it is the system's, and everybody sees its alerts."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="alert_rules"
    )
    symbol = models.ForeignKey(
        Symbol, null=True, blank=True, on_delete=models.CASCADE, help_text=_("Empty: every tracked symbol.")
    )
    kind = models.CharField(max_length=20, choices=[("price_above", _("price above")), ("plunge", _("plunge"))])
    level = models.FloatField(
        null=True, blank=True, help_text=_("A price for “price above”, percent points for “plunge” (−5 if empty).")
    )
    severity = models.CharField(max_length=8, default="warning", choices=SEVERITIES)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(kind="price_above") | models.Q(level__isnull=False),
                name="price_above_needs_a_level",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.level if self.level is not None else ''}".strip()


class AlertQuerySet(models.QuerySet):
    def running(self) -> "AlertQuerySet":
        """Those of the pass that runs."""
        return self.filter(pass_number=DataSource.objects.running_pass())

    def unpublished(self) -> "AlertQuerySet":
        return self.filter(published_at=None).select_related("symbol").order_by("id")


class Alert(models.Model):
    """It happened: a rule's condition was crossed. Saved first, published after commit, once."""

    rule = models.ForeignKey(AlertRule, null=True, on_delete=models.SET_NULL, related_name="alerts")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    severity = models.CharField(max_length=8)
    message = models.CharField(max_length=300, help_text=_("In English, for programs; people read kind and values."))
    values = models.JSONField(null=True, help_text=_("What it is worded from; empty for what rang before there were."))
    price = models.FloatField()
    session_date = models.DateField()
    as_of = models.DateTimeField()
    as_of_precision = models.CharField(max_length=6)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=16)
    epoch = models.PositiveIntegerField(help_text=_("The epoch of the streams that it rang in."))
    pass_number = models.PositiveIntegerField(
        default=1, db_default=1, help_text=_("The pass of a recording that it rang in.")
    )
    dedupe_key = models.CharField(
        max_length=120, unique=True, help_text=_("Rule, its level, symbol, session and pass: that rings once.")
    )
    published_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.says

    @property
    def says(self) -> str:
        """What rang, in the reader's language."""
        return wording.says(self.kind, self.symbol.ticker, self.values, self.message)


class Event(models.Model):
    """What was told on a stream, as it was told. Written behind the telling; its place makes a retry write it once."""

    stream = models.CharField(max_length=120)
    epoch = models.CharField(max_length=32)
    seq = models.PositiveBigIntegerField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        db_constraint=False,  # what was told to somebody who is gone since holds up nothing
        related_name="+",
    )  # whose own stream it is; empty: everybody's
    pass_number = models.PositiveIntegerField(default=1, db_default=1)  # of a recording
    body = models.TextField()  # JSON, with its number
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["stream", "epoch", "seq"], name="one_event_a_place")]
        indexes = [models.Index(fields=["stream", "id"], name="events_of_a_stream")]

    def __str__(self) -> str:
        return f"{self.stream} {self.epoch}:{self.seq}"
