"""Alert rules are changed in the admin; alerts are only looked at."""

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from realtime.models import Alert, AlertRule

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(apple) -> Alert:
    rule = AlertRule.objects.create(symbol=apple, kind="price_above", level=100)
    at = datetime(2012, 9, 4, tzinfo=UTC)
    return Alert.objects.create(
        rule=rule, symbol=apple, kind=rule.kind, severity=rule.severity, message="AAPL rose above 100.00", price=101,
        session_date=date(2012, 9, 4), as_of=at, as_of_precision="day", received_at=at, source="replay", epoch=1,
        dedupe_key="1",
    )  # fmt: skip


def test_a_rule_is_switched_off_in_the_admin(admin_client, alert):
    page = reverse("admin:realtime_alertrule_change", args=[alert.rule.pk])
    form = {"symbol": alert.symbol.pk, "kind": "price_above", "level": "100", "severity": "info"}
    assert admin_client.post(page, form).status_code == 302
    assert not AlertRule.objects.get().is_active


def test_alerts_are_listed_and_not_changed(admin_client, alert):
    listed = admin_client.get(reverse("admin:realtime_alert_changelist"))
    assert "AAPL rose above 100.00" in listed.content.decode()
    assert admin_client.get(reverse("admin:realtime_alert_add")).status_code == 403
    page = reverse("admin:realtime_alert_change", args=[alert.pk])
    assert admin_client.post(page, {"message": "never happened"}).status_code == 403
