"""Which source's prices this database holds."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DataSourceQuerySet(models.QuerySet):
    def epoch(self) -> int:
        """The current one; 1 before the first start has chosen a source."""
        return self.values_list("epoch", flat=True).first() or 1


class DataSource(models.Model):
    """The one source whose prices this database holds (a single row, id 1)."""

    name = models.CharField(max_length=16)
    reason = models.CharField(max_length=200, help_text=_("Why it was chosen: asked for, or found by `auto`."))
    chosen_at = models.DateTimeField()
    epoch = models.PositiveIntegerField(
        default=1, help_text=_("Grows when the recording rewinds or the source is switched; streams begin anew then.")
    )

    objects = DataSourceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
