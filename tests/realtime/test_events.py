"""What was told and must not be lost has rows, once and as it was told, for those who may see it."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from market.models import DataSource, Symbol
from monitoring import redis
from realtime import events, messages, renaming, streams
from realtime.events import writing
from realtime.messages import Message
from realtime.models import Event
from realtime.tasks import keep_events

pytestmark = [pytest.mark.django_db, pytest.mark.db, pytest.mark.usefixtures("redis")]
PATH = "/api/v2/events/"
AT = datetime(2026, 3, 2, 15, tzinfo=UTC)


def said(what: str, stream: str = "alerts:AAPL", once: str = "") -> Message:
    body = {"type": "alert", "stream": stream, "symbol": "AAPL", "what": what}
    return Message(stream, messages.encode(body), keep=True, conflate=False, once=once)


def tell(*told: Message, batch: str = "") -> None:
    events.keep(told, streams.publish(told, batch=batch))


def asked(client: Client, **parameters: object) -> dict:
    answer = client.get(PATH, parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()


def whats(answer: dict) -> list[str]:
    return [each["body"]["what"] for each in answer["results"]]


def place(client: Client, what: str) -> str:
    """As a gap says it."""
    [found] = [each for each in asked(client)["results"] if each["body"]["what"] == what]
    return f"{found['epoch']}:{found['seq']}"


# Written


def test_what_was_told_is_a_row_as_the_stream_has_it():
    tell(said("a"), said("b"), messages.system("It rains", AT))
    rows = list(Event.objects.values_list("stream", "seq", "body"))
    assert [(stream, seq) for stream, seq, _ in rows] == [("alerts:AAPL", 1), ("alerts:AAPL", 2), ("system", 1)]
    assert [body.encode() for *_, body in rows] == [*streams.kept("alerts:AAPL", 9), *streams.kept("system", 9)]


def test_prices_and_jobs_have_no_rows_and_ask_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        tell(Message("prices:AAPL", b"{}", keep=True, conflate=True), messages.jobs([], is_whole=True))
    assert not Event.objects.exists()


def test_a_crash_before_the_row_was_written_is_mended_by_the_retry_of_the_batch():
    batch = streams.new_batch()
    streams.publish([messages.system("It rains", AT)], batch=batch)
    for _ in range(2):
        tell(messages.system("It rains", AT + timedelta(seconds=9)), batch=batch)
    row = Event.objects.get()
    assert (row.seq, [row.body.encode()]) == (1, streams.kept("system", 9))


def test_an_alert_that_is_told_again_by_another_batch_is_written_where_it_was_told():
    streams.publish([said("a", once="a")])
    tell(said("b"), said("a", once="a"))
    assert sorted(Event.objects.values_list("seq", "body")) == [
        (seq, body.decode()) for seq, body in streams.history("alerts:AAPL")[1]
    ]


def test_what_its_teller_did_not_write_is_taken_from_the_history():
    tell(said("a"))
    streams.publish([said("b"), said("c"), Message("prices:AAPL", b"{}", keep=True, conflate=True)])
    assert [events.mend(), events.mend()] == [2, 0]
    assert [orjson.loads(body)["what"] for body in Event.objects.values_list("body", flat=True)] == ["a", "b", "c"]


def test_what_was_told_to_somebody_whose_account_has_ended_is_not_written_anew():
    ann, bob, eve = (get_user_model().objects.create_user(name) for name in ("ann", "bob", "eve"))
    streams.publish([said(user.username, f"alerts:@{user.pk}") for user in (ann, bob, eve)] + [said("all's")])
    get_user_model().objects.filter(pk=ann.pk).update(is_active=False)
    bob.delete()
    assert events.mend() == 2
    assert sorted(orjson.loads(body)["what"] for body in Event.objects.values_list("body", flat=True)) == [
        "all's",
        "eve",
    ]


def test_rows_are_deleted_when_they_are_old_and_the_others_stay():
    assert settings.EVENT_DAYS == 90
    tell(said("a"), said("b"), said("c"))
    Event.objects.exclude(seq=3).update(written_at=AT)
    assert events.forget_before(AT + timedelta(seconds=1)) == 2
    assert [row.seq for row in Event.objects.all()] == [3]


def passes(*told: str) -> None:
    """Each in a pass of its own, where also all hear something; of which the last one runs."""
    for number, what in enumerate(told, 1):
        DataSource.objects.update_or_create(pk=1, defaults={"name": "replay", "chosen_at": AT, "pass_number": number})
        streams.renew(["alerts:AAPL"])
        tell(said(what), messages.system(what, AT))


def test_two_passes_are_kept_and_what_all_heard(monkeypatch):
    monkeypatch.setattr(writing, "AT_ONCE", 1)  # in several turns
    passes("a", "b", "c", "d")
    assert [keep_events()["deleted"] for _ in range(2)] == [2, 0]
    kept = Event.objects.filter(stream="alerts:AAPL").values_list("pass_number", flat=True)
    assert (list(kept), Event.objects.filter(stream="system").count()) == ([3, 4], 4)


def test_no_index_repeats_what_another_serves():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Event._meta.db_table)
    listed = [each["columns"] for each in found.values() if not (each["foreign_key"] or each["check"])]
    assert sorted(listed) == [["id"], ["owner_id"], ["stream", "epoch", "seq"], ["stream", "id"]]


# Asked


def test_events_come_in_the_order_in_which_they_were_written_a_page_at_a_time(client, apple):
    tell(said("a"), said("b"), messages.system("It rains", AT), said("c"))
    first = asked(client, stream="alerts:AAPL", limit=2)
    assert (whats(first), first["is_whole"]) == (["a", "b"], None)
    assert whats(client.get(first["next"]).json()) == ["c"]
    assert [each["stream"] for each in asked(client)["results"]] == ["alerts:AAPL"] * 2 + ["system", "alerts:AAPL"]


def test_after_a_row_come_the_later_ones(client):
    tell(said("a"), said("b"), said("c"))
    first = asked(client)["results"][0]["id"]
    later = asked(client, after=first)
    assert (whats(later), later["is_whole"]) == (["b", "c"], True)
    Event.objects.filter(pk=first).delete()
    assert asked(client, after=first)["is_whole"] is False


def test_a_gap_leads_to_all_that_it_tells_of(client, apple):
    tell(*(said(f"{number}") for number in range(1, 6)))
    epoch = Event.objects.first().epoch
    lost = messages.gap("alerts:AAPL", epoch, 3, 5, "history_expired")
    found = client.get(lost["rest"]).json()
    assert (whats(found), found["is_whole"]) == (["3", "4", "5"], True)
    begun = messages.gap("alerts:AAPL", epoch, 1, 5, "limit")
    assert len(client.get(begun["rest"]).json()["results"]) == 5


def test_after_a_place_come_the_rest_of_its_epoch_and_the_epochs_behind_it(client, apple):
    tell(said("a"), said("b"))
    streams.renew(["alerts:AAPL"])
    tell(said("c"))
    found = asked(client, stream="alerts:AAPL", after=place(client, "a"))
    assert (whats(found), found["is_whole"]) == (["b", "c"], True)
    assert whats(asked(client, stream="alerts:AAPL", after=place(client, "c"))) == []


def test_the_pass_that_runs_is_told_and_behind_a_place_of_the_one_before_it_that_one_too(client, apple):
    passes("a", "b")
    told = asked(client)["results"]
    assert [(each["stream"], each["body"].get("what")) for each in told] == [
        ("system", None),
        ("alerts:AAPL", "b"),
        ("system", None),
    ]
    first = Event.objects.get(stream="alerts:AAPL", pass_number=1)
    found = asked(client, stream="alerts:AAPL", after=f"{first.epoch}:0")
    assert (whats(found), found["is_whole"]) == (["a", "b"], True)
    assert whats(asked(client, stream="alerts:AAPL", after=first.pk)) == ["b"]


def test_a_row_that_was_mended_late_hides_none_behind_it(client, apple):
    tell(said("a"))
    streams.publish([said("b")])
    tell(said("c"))
    events.mend()
    assert whats(asked(client, stream="alerts:AAPL", after=place(client, "b"))) == ["c"]
    assert sorted(whats(asked(client, stream="alerts:AAPL", after=place(client, "a")))) == ["b", "c"]


@pytest.mark.parametrize("missing", [1, 3, 5])
def test_what_is_not_here_is_said(client, apple, missing):
    tell(*(said(f"{number}") for number in range(1, 5)))
    streams.renew(["alerts:AAPL"])
    tell(said("5"), said("6"))
    after = place(client, "1")
    Event.objects.filter(body__contains=f'"what":"{missing}"').delete()
    answer = client.get(PATH, {"stream": "alerts:AAPL", "after": after})
    # Who has the first one misses nothing where only that is gone.
    assert (answer.json()["is_whole"], answer["X-Is-Whole"]) == ((True, "true") if missing == 1 else (False, "false"))


def test_of_an_epoch_older_than_the_table_all_is_told_and_that_it_is_not_whole(client, apple):
    tell(said("a"))
    found = asked(client, stream="alerts:AAPL", after="0ld:7")
    assert (whats(found), found["is_whole"]) == (["a"], False)
    assert asked(client, stream="alerts:AAPL", after=f"{place(client, 'a').split(':')[0]}:9")["is_whole"] is False


def test_ones_own_alerts_are_seen_by_nobody_else(client):
    ann, bob = (get_user_model().objects.create_user(name, is_staff=name == "bob") for name in ("ann", "bob"))
    tell(said("ann's", f"alerts:@{ann.pk}"), said("all's"))
    assert whats(asked(client)) == ["all's"]
    assert client.get(PATH, {"stream": "alerts:@me"}).status_code == 401
    client.force_login(bob)
    assert (whats(asked(client)), whats(asked(client, stream="alerts:@me"))) == (["all's"], [])
    assert client.get(PATH, {"stream": f"alerts:@{ann.pk}"}).status_code == 400
    client.force_login(ann)
    assert whats(asked(client)) == ["ann's", "all's"]
    [own] = asked(client, stream="alerts:@me")["results"]
    assert (own["stream"], own["body"]["what"]) == ("alerts:@me", "ann's")
    ann.delete()
    assert [row.stream for row in Event.objects.all()] == ["alerts:AAPL"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"stream": "prices:AAPL"}, "invalid_stream"),
        ({"stream": "jobs"}, "invalid_stream"),
        ({"stream": "alerts:XYZ1"}, "invalid_stream"),
        ({"stream": "alerts:"}, "invalid_stream"),
        ({"stream": "alerts"}, "invalid_stream"),
        ({"stream": "alerts:@1"}, "invalid_stream"),
        ({"stream": "system:AAPL"}, "invalid_stream"),
        ({"stream": "shouts:AAPL"}, "invalid_stream"),
        ({"stream": "signals:AAPL@7x"}, "invalid_stream"),
        ({"stream": "signals:AAPL@"}, "invalid_stream"),
        ({"stream": "signals:AAPL:5m"}, "invalid_stream"),
        ({"stream": "alerts:AAPL@5m"}, "invalid_stream"),
        ({"after": "-1"}, "invalid_after"),
        ({"after": "٣"}, "invalid_after"),
        ({"after": "9" * 19}, "invalid_after"),
        ({"after": "5f1c:7"}, "invalid_after"),
        ({"stream": "system", "after": "5f1c:"}, "invalid_after"),
        ({"since": "5"}, "invalid_parameters"),
        ({"limit": "0"}, "invalid_limit"),
        ({"cursor": "x"}, "invalid_cursor"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_name(client, apple, asked, code):
    answer = client.get(PATH, asked)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_what_is_no_interval_is_told_which_there_are(client, apple):
    told = client.get(PATH, {"stream": "signals:AAPL@7x"}).json()["detail"]
    assert "it can be 1m, 5m, 15m, 30m, 1h, 1d, 1wk, 1mo, as in signals:AAPL@5m" in told
    for right in ("signals:AAPL@5m", "signals:AAPL@1d", "signals:AAPL"):
        assert client.get(PATH, {"stream": right}).status_code == 200


def test_a_table_has_the_same_rows(client):
    tell(said("=1+1"))
    head, row = client.get(PATH, {"format": "csv"}).content.decode().splitlines()
    assert head.startswith("id,stream,epoch,seq,written_at,body.type")
    assert ",alerts:AAPL," in row
    assert "'=1+1" in row


def test_events_need_a_login_where_all_reads_do(client, settings):
    settings.MARKET_DATA_OPEN = False
    assert client.get(PATH).status_code == 401


def test_a_page_takes_few_queries(client, apple, django_assert_num_queries):
    tell(*(said(f"{number}") for number in range(50)))
    after = place(client, "0")
    with django_assert_num_queries(7):
        asked(client, stream="alerts:AAPL", after=after)


def test_what_was_told_of_a_symbol_goes_on_under_its_new_name(client):
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.create(ticker="FB", name="Meta", **facts)
    body = {"type": "alert", "stream": "alerts:FB", "symbol": "FB", "what": "fell"}
    tell(Message("alerts:FB", messages.encode(body), keep=True, conflate=False))
    after = Event.objects.get().epoch + ":0"
    renaming.rename("FB", "META")
    tell(said("later", "alerts:META"))
    for name in ("alerts:FB", "alerts:META"):  # who knew it by the former name asks by that
        found = asked(client, stream=name, after=after)
        assert (whats(found), found["is_whole"]) == (["fell", "later"], True)
    assert (found["results"][0]["body"]["stream"], found["results"][0]["body"]["symbol"]) == ("alerts:META", "META")


def test_what_was_mended_under_the_new_name_meanwhile_is_there_once():
    tell(said("a"))
    row = Event.objects.get()
    Event.objects.create(stream="alerts:META", epoch=row.epoch, seq=row.seq, body=row.body, written_at=AT)
    events.rename([("alerts:AAPL", "alerts:META")], "AAPL", "META")
    assert [row.stream for row in Event.objects.all()] == ["alerts:META"]


def test_a_history_whose_keys_are_away_mends_nothing():
    streams.publish([said("a")])
    redis.client().flushdb()
    assert events.mend() == 0
