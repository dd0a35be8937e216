"""What was refused is counted for all processes and can be looked at; nothing fails by it."""

import logging

import pytest
from redis.exceptions import ConnectionError

from monitoring import metrics, refusals


@pytest.fixture(autouse=True)
def unheard(monkeypatch):
    monkeypatch.setattr(refusals, "_told", {})


def test_what_was_refused_is_counted_and_kept_with_the_reason():
    refusals.note("quotes", "AAPL", "a volume of 1e19", b'{"volume": 1e19}')
    refusals.note("quotes", "MSFT", "no price", times=3)
    refusals.note("bars", "IBM", "no price")
    assert refusals.counts() == {"quotes": 4, "bars": 1}
    newest, oldest = refusals.newest("quotes")
    assert (newest["what"], newest["why"]) == ("MSFT", "no price")
    assert (oldest["what"], oldest["content"]) == ("AAPL", '{"volume": 1e19}')


def test_what_is_kept_is_bounded_and_what_is_counted_is_not():
    for number in range(refusals.KEPT + 10):
        refusals.note("quotes", "AAPL", str(number), b"\xff" * 10_000)
    kept = refusals.newest("quotes")
    assert (len(kept), kept[0]["why"], len(kept[0]["content"])) == (100, "109", 500)
    assert refusals.counts() == {"quotes": 110}


def test_the_log_hears_of_the_same_thing_once(caplog):
    with caplog.at_level(logging.WARNING):
        for ticker in ("AAPL", "AAPL", "MSFT", "AAPL"):
            refusals.note("quotes", ticker, "no price")
    assert [record.args[1] for record in caplog.records] == ["AAPL", "MSFT"]


def test_every_process_counts_into_the_metric_and_no_symbol_is_its_label():
    refusals.note("quotes", "AAPL", "no price", times=7)
    assert 'finstage_refused_total{kind="quotes"} 7.0' in metrics.exposition().decode()


def test_without_redis_the_metric_keeps_what_it_had_and_refusing_does_not_fail(monkeypatch):
    def is_away():
        raise ConnectionError("refused")

    refusals.note("quotes", "AAPL", "no price")
    before = refusals.Collected()
    before.collect()
    monkeypatch.setattr(refusals.redis, "client", is_away)
    refusals.note("quotes", "AAPL", "no price")
    assert before.collect()[0].samples[0].value == 1
