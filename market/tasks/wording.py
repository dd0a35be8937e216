"""What people read of a job that failed here: a sentence for each code, and what helps."""

from django.utils.translation import gettext_lazy as _

from monitoring.jobs.telling import wording

_ADD = _("Mind the spelling; what the source knows is added by searching for it.")
_WAIT = _("It is tried again by itself while it has attempts left; after that run it again, for fewer at once.")
_LOAD = _("Load its history first, with “Newest history” or “Whole history anew”.")
for code, says, remedy in (
    ("unknown_symbol", _("There is no such symbol."), _ADD),
    ("no_bars", _("No history of it is held yet."), _LOAD),
    ("no_data", _("The source has nothing of it."), _("See whether the source still lists it.")),
    ("rate_limited", _("The source takes no more requests at the moment."), _WAIT),
    ("upstream_down", _("The source does not answer well."), _WAIT),
    ("market_closed", _("Its session has no trade yet."), _("Run it again when its exchange trades.")),
    ("rewound", _("The recorded source began again meanwhile."), _("Run it again.")),
    ("invalid_since", _("That is no day that a history can begin with."), _("Write one such as 2010-01-04, or “all”.")),
    ("name_taken", _("Another symbol bears that ticker."), _("Choose another ticker.")),
    ("name_too_long", _("That ticker is too long."), _("Choose a shorter one.")),
):
    wording.word(code, says, remedy)
