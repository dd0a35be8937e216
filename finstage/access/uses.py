"""When keys were last used: noted without a wait, and written for many at once, a key at most once a minute."""

import threading
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from finstage.models import ApiKey

WRITE_SECONDS = 15.0  # how often the web process looks whether there is something to write
EVERY = timedelta(seconds=60)
MOST = 50_000  # keys that may wait
AT_ONCE = 900

_used: set[int] = set()
_noting = threading.Lock()


def note(key_id: int) -> None:
    with _noting:
        if len(_used) < MOST:
            _used.add(key_id)


def write() -> None:
    """Write what was noted. What the database does not take now is noted still."""
    with _noting:
        waiting = list(_used)
        _used.clear()
    while waiting:
        now, some = timezone.now(), waiting[:AT_ONCE]
        due = Q(last_used_at=None) | Q(last_used_at__lte=now - EVERY)
        try:
            ApiKey.objects.filter(due, pk__in=some).update(last_used_at=now)
        except Exception:
            with _noting:
                _used.update(waiting)
            raise
        del waiting[:AT_ONCE]
