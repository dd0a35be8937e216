"""/api/v2/screens/: kept, changed, shared by a link, and seen by nobody else."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from analysis.models import Screen
from analysis.screener import screens

pytestmark = [pytest.mark.django_db, pytest.mark.db, pytest.mark.usefixtures("five")]
PATH, JSON = "/api/v2/screens/", "application/json"
RISING = {"name": "Rising", "where": "close > 600 and change > 0", "fields": ["rsi_14"], "sort": ["-close"]}


def of(name: str) -> Client:
    browser = Client()
    browser.force_login(get_user_model().objects.get_or_create(username=name)[0])
    return browser


def make(browser: Client, **changes) -> dict:
    answer = browser.post(PATH, RISING | changes, content_type=JSON)
    assert answer.status_code == 201, answer.content
    return answer.json()


def listed(browser: Client) -> list[str]:
    return [each["name"] for each in browser.get(PATH).json()["results"]]


def test_a_screen_is_kept_as_it_was_asked_and_asked_again_by_its_id():
    bob = of("bob")
    made = make(bob)
    assert made["where"]["all"][0]["right"] == 600
    assert (listed(bob), bob.get(f"{PATH}{made['id']}/").json()) == (["Rising"], made)
    told = bob.get(f"/api/v2/screener/?screen={made['id']}").json()
    assert [row["symbol"] for row in told["results"]] == ["UP", "TURN"]
    assert (told["fields"], told["sort"]) == (["rsi_14"], ["-close"])
    turned = bob.get(f"/api/v2/screener/?screen={made['id']}&sort=close").json()
    assert [row["symbol"] for row in turned["results"]] == ["TURN", "UP"]


def test_it_is_changed_in_parts_and_deleted():
    bob = of("bob")
    made = make(bob)
    changed = bob.patch(f"{PATH}{made['id']}/", {"where": "close > 1", "name": "All"}, content_type=JSON).json()
    assert (changed["name"], changed["fields"], changed["where"]["right"]) == ("All", ["rsi_14"], 1)
    assert bob.delete(f"{PATH}{made['id']}/").status_code == 204
    assert listed(bob) == []


def test_nobody_sees_anothers_unless_it_is_shared_and_then_changes_nothing():
    bob, eve = of("bob"), of("eve")
    made = make(bob)
    token = Screen.objects.get().token
    for which in (made["id"], token):
        for browser in (eve, Client()):
            assert browser.get(f"{PATH}{which}/").status_code == 404
            assert browser.get(f"/api/v2/screener/?screen={which}").status_code == 404
    shared = bob.patch(f"{PATH}{made['id']}/", {"is_shared": True}, content_type=JSON).json()
    assert shared["token"] == token
    for browser in (eve, Client()):
        seen = browser.get(f"{PATH}{token}/").json()
        assert (seen["name"], seen["is_own"], seen["id"]) == ("Rising", False, token)
        assert browser.get(f"/api/v2/screener/?screen={token}").json()["matched"] == 2
        assert browser.get(f"{PATH}{made['id']}/").status_code == 404
    assert eve.patch(f"{PATH}{token}/", {"name": "Mine"}, content_type=JSON).status_code == 404
    assert eve.delete(f"{PATH}{token}/").status_code == 404
    assert listed(eve) == []
    bob.patch(f"{PATH}{made['id']}/", {"is_shared": False}, content_type=JSON)
    assert eve.get(f"{PATH}{token}/").status_code == 404


def test_a_guest_keeps_none():
    assert Client().get(PATH).json()["results"] == []
    assert Client().post(PATH, RISING, content_type=JSON).status_code in (401, 403)


def test_names_are_ones_own_and_there_is_an_end(monkeypatch):
    bob = of("bob")
    make(bob)
    assert bob.post(PATH, RISING, content_type=JSON).json()["code"] == "name_taken"
    make(of("eve"))
    monkeypatch.setattr(screens, "MOST", 1)
    assert bob.post(PATH, RISING | {"name": "B"}, content_type=JSON).json()["code"] == "too_many_screens"


def test_what_can_not_be_asked_is_not_kept_and_what_is_gone_is_told_at_its_node():
    bob = of("bob")
    answer = bob.post(PATH, RISING | {"where": "magic_3 > 1"}, content_type=JSON)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"where"})
    assert bob.post(PATH, RISING | {"wher": 1}, content_type=JSON).status_code == 400
    made = make(bob)
    row = Screen.objects.get()
    row.asked["where"] = {"left": {"indicator": "gone_3"}, "operator": "gt", "right": 1}
    row.save()
    told = bob.get(f"{PATH}{made['id']}/").json()
    assert (set(told["errors"]), told["where"]) == ({"where.left"}, row.asked["where"])
    refused = bob.get(f"/api/v2/screener/?screen={made['id']}")
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"where.left"})
    assert bob.patch(f"{PATH}{made['id']}/", {"name": "Still there"}, content_type=JSON).status_code == 200
    assert Screen.objects.get().asked == row.asked


def test_a_person_takes_their_screens_along():
    make(of("bob"))
    get_user_model().objects.get(username="bob").delete()
    assert not Screen.objects.exists()
