"""The parts of what operators see and do: sums, pages of several processes, and questions that come twice or broken."""

from dataclasses import replace

import pytest

from monitoring import redis as connection
from realtime.administration import answering, asking, processes, rows
from realtime.administration.answering import Administration
from realtime.administration.asking import QUESTION, Question
from realtime.administration.measuring import Meter
from realtime.administration.processes import Report
from realtime.hub import Hub
from tests.realtime import pipes
from tests.realtime.administered import Operator, hear, socket, subscribe
from tests.realtime.test_hub import play, publish, until
from tests.realtime.test_hub_slow import large
from tests.server import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def row(at: float, client_id: str = "a") -> dict:
    return {"connected_at": at, "client_id": client_id}


def test_a_symbol_that_clients_of_two_processes_hold_is_one():
    one = Report("one", connections=2, by_type={"prices": 2}, symbols=["AAPL", "MSFT"], gaps=1)
    both = processes.total([one, Report("two", connections=1, by_type={"prices": 1, "all": 1}, symbols=["AAPL"])])
    assert (both.connections, both.by_type, both.symbols, both.gaps) == (
        3,
        {"prices": 3, "all": 1},
        ["AAPL", "MSFT"],
        1,
    )


def test_nobody_is_told_of_where_nobody_tells():
    assert processes.told() == []
    assert processes.total([]).connections == 0
    assert processes.total([Report("an older version's")]) == processes.total([])


def test_what_another_version_told_counts_as_far_as_it_is_understood(redis):
    processes.tell(Report("one", connections=2))
    redis.set(redis_key("two"), b'{"name":"two","connections":3,"of_later":1}')
    redis.set(redis_key("three"), b'{"name":3}')
    redis.sadd(connection.key("web", "names"), "two", "three", "gone")
    assert sorted(report.connections for report in processes.told()) == [2, 3]
    assert b"gone" not in redis.smembers(connection.key("web", "names"))


def redis_key(name: str) -> str:
    return connection.key("web", "process", name)


def test_a_report_ends_by_itself_before_fifteen_seconds(redis):
    processes.tell(replace(Report("one"), connections=1))
    assert 0 < redis.ttl(redis_key("one")) < 15 - processes.BEAT_SECONDS + 1


def test_rows_of_two_processes_end_where_one_of_them_was_cut_off():
    cut = {"rows": [row(1), row(3)], "more": True}
    whole = {"rows": [row(2), row(3, "b"), row(9)], "more": False}
    assert rows.merged([cut, whole], 10) == ([row(1), row(2), row(3)], True)
    assert rows.merged([whole], 10) == (whole["rows"], False)
    assert rows.merged([whole], 2) == (whole["rows"][:2], True)


def test_a_question_that_is_heard_twice_is_done_once(live_web, redis):
    said = {"message": "once", "timestamp": "2026-01-01T00:00:00Z", "type": "system_status"}
    with Operator(live_web) as guest, socket(live_web) as client:
        guest.until(lambda _: redis.pubsub_numsub(asking.channel())[0][1])
        target = {"target_type": "client", "target": client.client_id}
        twice = Question("the same", "deliver", {"message": said, **target})
        for question in (
            twice,
            twice,
            replace(twice, id="another", arguments={"message": {**said, "message": "end"}, **target}),
        ):
            redis.publish(asking.channel(), QUESTION.pack(question))
        assert [hear(client, "system_status")["message"] for _ in range(2)] == ["once", "end"]


def test_a_question_that_had_no_room_is_answered_when_it_is_asked_again(monkeypatch):
    """A broadcast that is repeated has the id that it had."""

    async def scenario(hub: Hub) -> None:
        _, pipe = await pipes.connect(hub)
        said = {"type": "system_status", "message": "again", "timestamp": "2026-01-01T00:00:00Z"}
        asked = Question("the same", "others", {"message": said, "stream": "system"})
        administration = Administration(hub.members)
        administration.start()
        with monkeypatch.context() as full:
            full.setattr(answering, "MOST_AT_ONCE", 0)
            administration._hear({"data": QUESTION.pack(asked)})
        administration._hear({"data": QUESTION.pack(asked)})
        await until(lambda: pipe.said("system_status"), 5)
        await administration.stop()

    play(scenario)


def test_a_lost_connection_to_redis_is_made_anew(live_web, redis):
    with Operator(live_web) as guest:
        guest.until(lambda status: status["processes"] == 1)
        redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        assert eventually(lambda: asking.ask("close", client_id="nobody").given == [{"closed": False}])


def test_a_gap_that_is_told_is_counted(live_web):
    with Operator(live_web) as guest:
        before = guest.until(lambda status: status["processes"] == 1)["gaps_told"]
        since = {"system": {"epoch": "another", "seq": 1}}
        with socket(live_web, {**subscribe("system"), "since": since}) as client:
            hear(client, "gap")
            guest.until(lambda status: status["gaps_told"] == before + 1)


def test_who_does_not_read_is_slow_then_closed_and_both_are_counted():
    async def scenario(hub: Hub) -> None:
        before = Meter(hub.members).read().slow_closed
        client, pipe = await pipes.connect(hub)
        await hub.subscribe(client, {"alerts:AAPL": "latest"}, {})
        pipe.reads.clear()
        await publish(*[large("alerts:AAPL", 9000)] * 60)
        await until(lambda: Meter(hub.members).read().slow == 1, 20)
        told = await rows.page(hub.members.clients, (0.0, ""), 9, slow=True)
        assert (told["count"], told["rows"][0]["is_slow"]) == (1, True)
        await publish(*[large("alerts:AAPL", 9000)] * 120)
        await until(lambda: Meter(hub.members).read().slow_closed == before + 1, 20)

    play(scenario)


@pytest.mark.parametrize(
    "question",
    [b"{", b'{"id":"1","command":"burn","arguments":{}}', b'{"id":"1","command":"close","arguments":{"a":1}}'],
    ids=["no question", "of a later version", "wrong arguments"],
)
def test_a_question_that_can_not_be_answered_stops_none_behind_it(live_web, redis, question):
    with Operator(live_web) as guest, socket(live_web) as client:
        guest.until(lambda status: status["processes"] == 1)
        redis.publish(asking.channel(), question)
        answers = asking.ask("close", client_id=client.client_id)
    assert (answers.given, answers.missing) == ([{"closed": True}], 0)
