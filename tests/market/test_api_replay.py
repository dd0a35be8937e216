"""GET and POST /api/v2/replay/"""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth import get_user_model

from market import bars, prices, symbols
from market.models import DataSource, PlayerWish
from market.sources.replay import SEEDS
from monitoring.models import AuditEntry

pytestmark = pytest.mark.django_db
User = get_user_model()
PATH = "/api/v2/replay/"
SESSIONS = [date(2012, 9, day) for day in (4, 5, 6, 7)]


@pytest.fixture
def recorded(hold) -> None:
    """Four sessions of AAPL, of which the third is played in the second pass."""
    hold("replay")
    symbols.ensure(SEEDS)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    bars.upsert(
        prices.Bar("AAPL", "1d", prices.midnight(day), 1.0, 2.0, 0.5, 1.5, 10, True, "replay", at) for day in SESSIONS
    )
    DataSource.objects.update(pass_number=2, session=SESSIONS[2])


@pytest.fixture
def person(client):
    """person(is_staff=True): logged in."""

    def make(**fields) -> None:
        client.force_login(User.objects.create_user(f"person{User.objects.count()}", password="x", **fields))

    return make


def steer(client, **wanted):
    return client.post(PATH, wanted, "application/json")


def test_guests_read_where_the_player_is(client, recorded, settings):
    settings.REPLAY_SESSION_SECONDS = 234
    assert client.get(PATH).json() == {
        "source": "replay",
        "is_recorded": True,
        "pass": 2,
        "session": "2012-09-06",
        "at": "2012-09-06T00:00:00Z",
        "speed": 100.0,
        "paused": False,
        "first": "2012-09-04",
        "last": "2012-09-07",
        "going_live": None,
    }


def test_of_a_live_source_only_that_is_told(client, hold):
    hold("yahoo")
    told = client.get(PATH).json()
    assert (told.pop("source"), told.pop("is_recorded")) == ("yahoo", False)
    assert set(told.values()) == {None}


def test_staff_say_what_they_want_and_what_they_do_not_name_stays(client, recorded, person):
    person(is_staff=True)
    assert steer(client, paused=True, speed=60).json()["paused"] is True
    told = steer(client, date="2012-09-05").json()
    assert (told["paused"], told["speed"], told["session"]) == (True, 60.0, "2012-09-06")
    assert PlayerWish.objects.get().date == SESSIONS[1]
    [first, second] = AuditEntry.objects.filter(action="replay.steer").order_by("pk")
    assert (first.facts, second.facts) == ({"paused": True, "speed": 60}, {"date": "2012-09-05"})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "nothing_asked"),
        ({"speed": 0}, "invalid_speed"),
        ({"speed": 100_001}, "invalid_speed"),
        ({"paused": "perhaps"}, "invalid_paused"),
        ({"date": "soon"}, "invalid_date"),
        ({"date": "2012-09-03"}, "out_of_range"),
        ({"date": "2012-09-08"}, "out_of_range"),
        ({"paused": True, "spede": 3}, "unknown_field"),
    ],
)
def test_what_can_not_be_wanted_is_refused_with_a_code(client, recorded, person, body, code):
    person(is_staff=True)
    answer = client.post(PATH, body, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not PlayerWish.objects.exists()


def test_nobody_but_staff_steers_and_nobody_a_live_source(client, recorded, person):
    person()
    assert steer(client, paused=True).status_code == 403
    DataSource.objects.update(name="yahoo")
    person(is_staff=True)
    answer = steer(client, paused=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_recorded")


def live(client, source="yahoo"):
    return client.post(f"{PATH}live", {"source": source}, "application/json")


def test_who_goes_live_types_the_sources_name(client, recorded, person, settings):
    settings.SOURCE = "auto"
    person(is_staff=True)
    assert live(client, "yaho").json()["code"] == live(client, "replay").json()["code"] == "unknown_source"
    assert not PlayerWish.objects.exists()
    assert live(client, "Yahoo").json()["going_live"] == "yahoo"
    assert (PlayerWish.objects.get().source, DataSource.objects.get().name) == ("yahoo", "replay")
    assert [entry.target for entry in AuditEntry.objects.filter(action="replay.go_live")] == ["yahoo"]


def test_what_can_not_go_live_is_refused(client, recorded, person, settings):
    assert live(client).status_code == 401
    person()
    assert live(client).status_code == 403
    person(is_staff=True)
    settings.SOURCE = "replay"
    assert (live(client).status_code, live(client).json()["code"]) == (409, "source_fixed")
    DataSource.objects.update(name="yahoo")
    settings.SOURCE = "auto"
    assert live(client).json()["code"] == "not_recorded"
    assert not PlayerWish.objects.exists()


def test_before_a_source_is_chosen_there_is_no_player(client):
    assert client.get(PATH).json()["code"] == "no_source"
