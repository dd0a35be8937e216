"""The admin in the frame: lists that say what one looks for, in both languages."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db.models import CharField
from django.utils import timezone, translation

from finstage.models import Invitation
from market.models import CorporateAction
from monitoring import jobs
from monitoring.admin import ACTS
from monitoring.models import AuditEntry, Job
from realtime.models import Alert
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = pytest.mark.django_db
OURS = ("finstage", "monitoring", "market", "realtime")
LOGGED = re.compile(r'(?:audit\.act\(request, f?|audit\.by_shell\(|ACTION = |[( ]action=)"([a-z]+\.[^"]+)"')


def korean(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)


@pytest.mark.parametrize("model", [model for model in admin.site._registry if model._meta.app_label in OURS])
def test_every_list_names_its_rows_and_columns_in_korean(model):
    shown = admin.site._registry[model]
    with translation.override("ko"):
        names = [str(model._meta.verbose_name), str(model._meta.verbose_name_plural)]
        names += [str(label_for_field(name, model, shown)) for name in shown.list_display if name != "__str__"]
    assert [name for name in names if not korean(name) and name != "PID"] == []


def test_a_list_of_jobs_has_short_ids_badges_and_times_as_people_tell_them(admin_client):
    job = jobs.submit("sample.add", {"a": 1})
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(minutes=3))
    page = admin_client.get("/admin/monitoring/job/").content.decode()
    assert f'<code title="{job.pk}">…{str(job.pk)[-8:]}</code>' in page
    assert 'data-badge="pending"' in page
    assert "3\xa0minutes ago" in page
    korean_page = admin_client.get("/admin/monitoring/job/", headers={"Accept-Language": "ko"}).content.decode()
    assert re.search(r"3\s*분 전", korean_page)


def test_times_are_told_by_the_clock_that_was_chosen(admin_client, admin_user):
    job = jobs.submit("sample.add", {"a": 1})
    Job.objects.filter(pk=job.pk).update(created_at="2026-07-01T00:30:00Z")
    admin_client.patch("/api/v2/preferences/", '{"time_zone": "Asia/Seoul"}', content_type="application/json")
    assert "2026-07-01 09:30:00 KST" in admin_client.get("/admin/monitoring/job/").content.decode()


def test_it_stands_in_the_frame_and_in_the_theme(admin_client):
    admin_client.patch("/api/v2/preferences/", '{"theme": "dark"}', content_type="application/json")
    page = admin_client.get("/admin/").content.decode()
    assert 'data-theme="dark"' in page
    assert 'class="topbar"' in page
    assert 'class="rail"' in page


SAME = {"interval", "exchange"}  # 1d and XNAS are so in every language


@pytest.mark.parametrize("model", [model for model in admin.site._registry if model._meta.app_label in OURS])
def test_no_filter_tells_a_text_as_it_is_kept(model):
    plain = {name for name in admin.site._registry[model].list_filter if isinstance(name, str)}
    fields = [model._meta.get_field(name) for name in plain - SAME]
    assert [each.name for each in fields if isinstance(each, CharField) and not each.choices] == []


def told(client, path: str) -> list[str]:
    """What can be chosen of a list's filters in Korean."""
    listed = client.get(f"/admin/{path}", headers={"Accept-Language": "ko"}).context["cl"]
    with translation.override("ko"):
        return [str(choice["display"]) for spec in listed.filter_specs for choice in spec.choices(listed)]


def test_filters_tell_what_there_is_in_korean(admin_client, apple):
    now = timezone.now()
    day = {"session_date": "2026-03-02", "as_of": now, "as_of_precision": "day", "received_at": now, "epoch": 1}
    for kind in ("price_above", "plunge"):
        known = {"kind": kind, "severity": "warning", "source": "replay", "dedupe_key": kind, "price": 1}
        Alert.objects.create(symbol=apple, **known, **day)
    for kind in CorporateAction.Kind:
        at = {"ex_date": "2026-03-02", "value": 1, "source": "replay", "received_at": now}
        CorporateAction.objects.create(symbol=apple, kind=kind, **at)
    jobs.submit("market.records")
    AuditEntry.objects.bulk_create([AuditEntry(actor_name="ada", action=action) for action in ACTS])
    for path in ("realtime/alert/", "market/corporateaction/", "monitoring/job/", "monitoring/auditentry/"):
        assert [each for each in told(admin_client, path) if not korean(each)] == [], path
    assert {"배당", "재생"} <= {*told(admin_client, "market/corporateaction/")}


def test_what_is_logged_has_words():
    files = [path for app in OURS for path in (settings.BASE_DIR / app).rglob("*.py")]
    named = {name for path in files for name in LOGGED.findall(path.read_text()) if "{" not in name}
    assert len(named) > 3
    assert named - ACTS.keys() == set()


LISTS = ["finstage/user/", "finstage/invitation/", "finstage/apikey/", "monitoring/worker/", "monitoring/auditentry/"]
LISTS += ["realtime/alert/", "django_celery_beat/periodictask/"]


@pytest.mark.parametrize("path", LISTS)
def test_each_list_is_there(admin_client, path):
    Invitation.objects.create(prefix="a", digest="b", expires_at=timezone.now())
    assert admin_client.get(f"/admin/{path}").status_code == 200
