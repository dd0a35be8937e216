"""POST /api/v2/symbols/: what the source knows is added, so many a day."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from finstage.models import User
from market.models import Symbol
from market.sources import adding
from market.sources.errors import ProviderError
from market.symbols import UnknownSymbol
from market.tasks.history import add_symbol
from monitoring.models import AuditEntry, Job
from tests.market.yahoo_charts import made_chart
from tests.monitoring.test_jobs_rights import run_all

pytestmark = [pytest.mark.django_db, pytest.mark.db]
PATH = "/api/v2/symbols/"
META = {
    "instrumentType": "EQUITY", "exchangeName": "NYQ", "exchangeTimezoneName": "America/New_York", "priceHint": 2,
    "longName": "International Business Machines Corporation", "currency": "USD",
}  # fmt: skip


@pytest.fixture
def user(client) -> User:
    made = User.objects.create_user("adds", password="x")
    client.force_login(made)
    return made


def add(client, symbol: object, **more: object):
    return client.post(PATH, {"symbol": symbol, **more}, "application/json")


def test_what_yahoo_knows_is_asked_for_by_a_job_of_whoever_adds_it(client, hold, user):
    hold("yahoo")
    answer = add(client, " zzib ")
    assert (answer.status_code, answer.json()["symbol"], answer.json()["state"]) == (202, "ZZIB", "asked")
    job = Job.objects.get(pk=answer.json()["task_id"])
    assert (job.name, job.arguments, job.owner) == ("market.add_symbol", {"symbol": "ZZIB"}, user)
    assert AuditEntry.objects.get(action="symbols.add").actor == user


def test_with_none_a_day_the_first_is_one_too_many(client, hold, user, settings):
    hold("yahoo")
    settings.SYMBOLS_A_DAY = 0
    assert add(client, "ZZIB").status_code == 429


def test_what_is_collected_is_said_so_and_what_was_stopped_is_collected_again(client, apple, hold, user):
    hold("replay")
    assert (add(client, "aapl").status_code, add(client, "aapl").json()["task_id"]) == (200, None)
    Symbol.objects.filter(pk=apple.pk).update(is_active=False)
    assert add(client, "AAPL").status_code == 202
    add_symbol("AAPL")
    assert Symbol.objects.get(pk=apple.pk).is_active


def test_guests_add_nothing_and_nobody_more_than_so_many_a_day(client, hold, settings):
    hold("yahoo")
    assert add(client, "ZZIB").status_code == 401
    settings.SYMBOLS_A_DAY = 2
    client.force_login(user := User.objects.create_user("adds", password="x"))
    assert [add(client, ticker).status_code for ticker in ("ZA", "ZB", "ZC")] == [202, 202, 429]
    refused = add(client, "ZC")
    assert (refused.json()["code"], int(refused["Retry-After"]) > 80_000) == ("too_many_additions", True)
    AuditEntry.objects.filter(target="ZA").update(at=datetime.now(UTC) - timedelta(days=1, seconds=1))
    assert add(client, "ZC").status_code == 202
    User.objects.filter(pk=user.pk).update(is_staff=True)
    assert add(client, "ZD").status_code == 202


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"symbol": ""}, 400), ({"symbol": 5}, 400), ({"symbol": "A" * 33}, 400),
     ({"symbol": "A", "x": 1}, 400), ({"symbol": "no ticker!"}, 404)],
)  # fmt: skip
def test_what_is_none_is_refused(client, hold, user, body, status):
    hold("yahoo")
    assert client.post(PATH, body, "application/json").status_code == status
    assert not Job.objects.exists()


def test_a_recording_knows_no_others_and_what_was_meant_is_said(client, apple, hold, user):
    hold("replay")
    answer = add(client, "AAPK")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_symbol")
    assert "Did you mean AAPL" in answer.json()["detail"]


def test_what_yahoo_says_of_a_symbol_becomes_its_row_and_its_history_is_loaded(hold, wire):
    hold("yahoo")
    wire.charts["ZZIB"] = {**made_chart("IBM", **META), "meta": {**made_chart("IBM", **META)["meta"], "symbol": "ZZIB"}}
    told = add_symbol("zzib")
    row = Symbol.objects.get(ticker="ZZIB")
    assert (row.name, row.exchange, row.currency) == (META["longName"], "XNYS", "USD")
    assert (row.time_zone, row.asset_type, row.price_decimals, row.is_active) == ("America/New_York", "equity", 2, True)
    assert told["symbol"] == "ZZIB"
    assert [job.arguments["symbols"] for job in Job.objects.filter(name="market.backfill_chunk")] == [["ZZIB"]]
    asked = len(wire.requests)
    add_symbol("ZZIB")  # it is ours by now
    assert len(wire.requests) == asked


def test_what_somebody_adds_who_is_not_of_the_staff_is_carried_out_to_the_end(client, hold, wire, user):
    hold("yahoo")
    wire.charts["ZZIB"] = made_chart("IBM", **META, symbol="ZZIB")
    assert add(client, "ZZIB").status_code == 202
    run_all()
    told = Job.objects.order_by("id").values_list("name", "owner")
    behind = ("backfill_chunk", "records", "figures_chunk")
    assert set(told) == {(f"market.{name}", user.pk) for name in ("add_symbol", *behind)}
    assert not Job.objects.filter(error_code="rights_ended").exists()
    assert Symbol.objects.get(ticker="ZZIB").is_active
    refused = client.post(
        "/api/tasks/submit", {"task": "market.add_symbol", "args": {"symbol": "A"}}, "application/json"
    )
    assert refused.status_code == 403


def test_two_clicks_are_one_job_and_count_once(client, hold, user):
    hold("yahoo")
    assert add(client, "ZZIB").json()["task_id"] == add(client, "zzib").json()["task_id"]
    assert AuditEntry.objects.filter(action="symbols.add").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_have_one_job_that_both_follow_to_its_end_and_each_counts_once(client, hold, wire, user):
    hold("yahoo")
    wire.charts["ZZIB"] = made_chart("IBM", **META, symbol="ZZIB")
    other = Client()
    other.force_login(second := User.objects.create_user("second", password="x"))
    task, again, theirs, once_more = (add(who, "ZZIB").json()["task_id"] for who in (client, client, other, other))
    assert task == again == theirs == once_more
    assert Job.objects.filter(name="market.add_symbol").count() == 1
    entries = AuditEntry.objects.filter(action="symbols.add").values_list("actor", "outcome__task_id")
    assert sorted(entries) == sorted([(user.pk, task), (second.pk, task)])
    assert add(client, "ZZIB").json()["task_id"] == task  # whoever was first is counted no second time
    assert AuditEntry.objects.filter(action="symbols.add").count() == 2
    User.objects.filter(pk=user.pk).update(is_active=False)  # it ends with nobody's rights
    run_all()
    result = other.get(f"/api/tasks/task/{task}/result").json()["result"]
    told = [other.get(f"/api/tasks/task/{each}").json()["status"] for each in (task, *result["chunks"], result["then"])]
    assert told == ["completed"] * 3
    assert Client().get(f"/api/tasks/task/{task}").status_code == 404
    assert add(other, "ZZIB").json()["state"] == "collected"


def test_who_joins_has_as_much_room_as_who_was_first(client, hold, user, settings):
    hold("yahoo")
    add(client, "ZZIB")
    settings.SYMBOLS_A_DAY = 1
    other = Client()
    other.force_login(User.objects.create_user("second", password="x"))
    assert [add(other, ticker).status_code for ticker in ("ZZIB", "ZZIC", "ZZIB")] == [202, 429, 202]
    other.force_login(User.objects.create_user("third", password="x"))
    assert [add(other, ticker).status_code for ticker in ("ZZIC", "ZZIB")] == [202, 429]


@pytest.mark.parametrize("text", ["zzib.b", "ZZIB/B", "ZZIB B", "ZZIB-B"])
def test_a_class_of_shares_is_looked_for_as_yahoo_writes_it(client, hold, wire, user, text):
    hold("yahoo")
    wire.charts["ZZIB-B"] = made_chart("IBM", **META, **{"symbol": "ZZIB-B"})
    assert add(client, text).status_code == 202
    assert add_symbol(Job.objects.get(name="market.add_symbol").arguments["symbol"])["symbol"] == "ZZIB-B"
    assert add(client, text).json() == {"symbol": "ZZIB-B", "state": "collected", "task_id": None}


def test_hundredths_of_a_currency_are_its_whole_and_an_exchange_that_is_not_known_bears_yahoos_name(hold, wire):
    hold("yahoo")
    meta = {**META, "symbol": "ZZLN.L", "currency": "GBp", "exchangeName": "ZZZ", "priceHint": 2}
    wire.charts["ZZLN.L"] = made_chart("IBM", **meta)
    row = adding.add("ZZLN.L")
    assert (row.currency, row.exchange, row.price_decimals) == ("GBP", "ZZZ", 4)


def test_what_yahoo_does_not_know_says_what_was_meant_and_makes_no_row(apple, hold, wire):
    hold("yahoo")
    with pytest.raises(UnknownSymbol, match="did you mean AAPL"):
        adding.add("AAPK")
    assert not Symbol.objects.filter(ticker="AAPK").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"symbol": "OTHER"},
        {"instrumentType": "OPTION"},
        {"currency": None},
        {"exchangeTimezoneName": 5},
        {"exchangeTimezoneName": "No/Where"},
    ],
)
def test_an_answer_that_says_too_little_or_is_about_another_makes_no_row(hold, wire, wrong):
    hold("yahoo")
    wire.charts["ZZIB"] = made_chart("IBM", **META, **{"symbol": "ZZIB"})
    wire.charts["ZZIB"]["meta"] |= wrong
    with pytest.raises(ProviderError):
        adding.add("ZZIB")
    assert not Symbol.objects.filter(ticker="ZZIB").exists()
