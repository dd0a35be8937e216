"""What is done in the background about who is logged in."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from finstage.accounts import logins
from monitoring.jobs import Schedule, job


@job(
    "accounts.sessions",
    priority="low",
    timeout=600,
    schedules=(Schedule("15 3 * * *"),),
    title=_("Clear old logins"),
    says=_("Deletes sessions that are over, and the logins that went with them."),
)
def forget_sessions() -> dict:
    """Delete the sessions that are over, and the logins that went with them."""
    return {"deleted": logins.forget_over(timezone.now())}
