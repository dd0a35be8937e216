"""Which source's prices this database holds."""

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _


class DataSourceQuerySet(models.QuerySet):
    def epoch(self) -> int:
        """The current one; 1 before the first start has chosen a source."""
        return self.values_list("epoch", flat=True).first() or 1

    def pass_number(self) -> int:
        """The one that runs; 1 before the first start has chosen a source."""
        return self.values_list("pass_number", flat=True).first() or 1

    def running_pass(self) -> Coalesce:
        """The same, for a query's condition."""
        return Coalesce(models.Subquery(self.filter(pk=1).values("pass_number")[:1]), 1)


class DataSource(models.Model):
    """The one source whose prices this database holds (a single row, id 1)."""

    name = models.CharField(max_length=16)
    reason = models.CharField(max_length=200, help_text=_("Why it was chosen: asked for, or found by `auto`."))
    chosen_at = models.DateTimeField()
    epoch = models.PositiveIntegerField(
        default=1, help_text=_("Grows when the recording rewinds or the source is switched; streams begin anew then.")
    )

    pass_number = models.PositiveIntegerField(
        default=1, db_default=1, help_text=_("Grows when the player of a recording begins again, or goes back in time.")
    )
    session = models.DateField(
        null=True,
        help_text=_("The one that the player plays: earlier ones are history. Empty: the market's time is now."),
    )

    objects = DataSourceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class PlayerWish(models.Model):
    """What staff want of the player of a recorded source, which looks here between its steps (a single row, id 1)."""

    paused = models.BooleanField(default=False)
    speed = models.FloatField(null=True, help_text=_("Seconds of a session in one; empty: as the settings say."))
    date = models.DateField(null=True, help_text=_("Where to go on from; empty once it does."))
    source = models.CharField(
        max_length=16, blank=True, default="", help_text=_("From which to take prices instead; empty: from none.")
    )
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.by} {self.at:%Y-%m-%d %H:%M:%S}"
