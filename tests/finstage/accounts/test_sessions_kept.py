"""Sessions that are over go, and the logins with them; those that open something stay."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from finstage.accounts import logins
from finstage.models import Login, User
from monitoring import jobs

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def test_sessions_that_are_over_go_a_few_at_a_time_with_their_logins(monkeypatch):
    monkeypatch.setattr(logins, "AT_ONCE", 2)
    owner, now = User.objects.create_user("ann"), timezone.now()
    for number in range(6):
        ends = now + timedelta(days=1 if number == 5 else -1)
        Session.objects.create(session_key=f"key{number}", session_data="", expire_date=ends)
        seen = {"began_at": now - timedelta(days=9), "seen_at": now - timedelta(days=8)}
        Login.objects.create(owner=owner, session_key=f"key{number}", **seen)
    Login.objects.create(owner=owner, session_key="just begun", began_at=now, seen_at=now)
    assert jobs.everything()["accounts.sessions"]() == {"deleted": {"sessions": 5, "logins": 5}}
    assert set(Login.objects.values_list("session_key", flat=True)) == {"key5", "just begun"}
