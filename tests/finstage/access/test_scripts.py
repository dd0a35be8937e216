"""Scripts of the original that have a key and nothing else, over the wire of the real server."""

import time

import pytest

from finstage.models import ApiKey
from tests.finstage.access.conftest import in_days
from tests.finstage.test_original import GETS, POSTS
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
WITHIN = 5.0


def until(is_so, seconds: float) -> float:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began


def test_each_curl_of_the_original_works_with_one_header(script, alice, make, apple):
    with_key, without = script(make(alice)[1]), script()
    for path in GETS:
        assert with_key.get(path).status_code in (200, 404), path
    for path, body in POSTS.items():
        assert without.post(path, json=body).status_code in (401, 403), path
        answer = with_key.post(path, json=body)
        assert answer.status_code in (202, 404), answer.text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"expires_at": in_days(-1)}, 401),
        ({"revoked_at": in_days(0)}, 401),
        ({"may_staff": False}, 403),
    ],
)
def test_a_key_that_was_revoked_has_run_out_or_was_narrowed_opens_nothing_within_5_s(
    script, alice, make, change, status
):
    row, key = make(alice)
    asking = script(key)
    assert asking.get("/api/tasks/status").status_code == 200
    ApiKey.objects.filter(pk=row.pk).update(**change)
    until(lambda: asking.get("/api/tasks/status").status_code == status, WITHIN)


def test_a_key_that_was_widened_opens_more_within_5_s(script, alice, make):
    row, key = make(alice, "read")
    asking = script(key)
    assert asking.get("/api/tasks/status").status_code == 403
    ApiKey.objects.filter(pk=row.pk).update(may_staff=True)
    until(lambda: asking.get("/api/tasks/status").status_code == 200, WITHIN)


def test_the_web_process_writes_last_uses(script, alice, make):
    row, key = make(alice)
    script(key).get("/api/v2/keys/")
    until(lambda: ApiKey.objects.get(pk=row.pk).last_used_at is not None, 30)


def test_every_answer_of_a_view_tells_where_its_limit_stands(script, alice, make, apple):
    mine, nobodys = script(make(alice)[1]), script()
    first = mine.get("/api/v2/symbols/").headers
    assert first["RateLimit-Policy"] == '"key";q=30000;w=60'
    assert first["RateLimit"].startswith('"key";r=29999;t=')
    answer = nobodys.get("/api/v2/symbols/AAPL/bars/")
    unchanged = nobodys.get("/api/v2/symbols/AAPL/bars/", headers={"If-None-Match": answer.headers["ETag"]})
    assert unchanged.status_code == 304
    assert unchanged.headers["RateLimit-Policy"] == '"address";q=60000;w=60'
