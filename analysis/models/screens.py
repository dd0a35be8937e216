"""Screens that people keep."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.exact import ExactCharField


class Screen(models.Model):
    """A question to all tracked symbols that somebody keeps: as it was asked, also where what it names is gone."""

    # Without a constraint: the version before knows nothing of these rows and deletes people.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="screens",
        db_constraint=False,
        db_index=False,
    )
    name = ExactCharField(max_length=100)
    asked = models.JSONField(help_text=_("Condition, interval, columns and order."))
    token = ExactCharField(max_length=32, unique=True, help_text=_("What its link calls it."))
    is_shared = models.BooleanField(default=False, help_text=_("Whether who has its link may read it."))
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["owner_id", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_screen_a_name")]
        verbose_name = _("screen")
        verbose_name_plural = _("screens")

    def __str__(self) -> str:
        return self.name
