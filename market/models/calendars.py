"""The sessions of exchanges, for those who may not import their calendars."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TradingYear(models.Model):
    """One year of one exchange, as its calendar tells it. A calendar that is corrected is written anew."""

    pk = models.CompositePrimaryKey("exchange", "year")
    exchange = models.CharField(max_length=20)
    year = models.SmallIntegerField()
    time_zone = models.CharField(max_length=40)
    first = models.DateField(help_text=_("The first day that is known; of it no session may be."))
    last = models.DateField(help_text=_("The last day that is known."))
    sessions = models.TextField(
        help_text=_("JSON: of each session its date, when it opens and closes, and its break, in seconds since 1970.")
    )
    told_at = models.DateTimeField(help_text=_("When the calendar was asked last."))

    class Meta:
        ordering = ["exchange", "year"]

    def __str__(self) -> str:
        return f"{self.exchange} {self.year}"
