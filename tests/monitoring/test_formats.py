"""Values in Redis that another version wrote: known fields are read, missing ones have defaults, the rest is absent."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from monitoring import metrics
from monitoring.formats import Format

AT = datetime(2024, 7, 2, 15, 0, 0, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Price:
    ticker: str
    at: datetime
    price: float | None
    is_final: bool = False


PRICE = Format(Price)


def refused() -> float:
    return metrics.UNREADABLE.labels("Price")._value.get()


@pytest.mark.parametrize("price", [Price("AAPL", AT, 101.5, True), Price("^GSPC", AT, None)])
def test_what_was_packed_comes_back(price):
    assert PRICE.unpack(PRICE.pack(price)) == price


def test_a_field_that_we_do_not_know_means_nothing():
    text = b'{"ticker":"AAPL","at":"2024-07-02T15:00:00.000005Z","price":101.5,"venue":{"mic":"XNAS"}}'
    assert PRICE.unpack(text) == Price("AAPL", AT, 101.5)


@pytest.mark.parametrize(
    "text",
    [b"", b"null", b"[]", b"\xff\x80", b'{"ticker":"AAPL"}', b"\x80\x04\x95",
     b'{"ticker":"AAPL","at":"2024-07-02T15:00:00Z","price":"101.5"}', b'{"ticker":"\xff","at":1,"price":1}'],
)  # fmt: skip
def test_what_cannot_be_read_is_absent_and_counted(text):
    before = refused()
    assert PRICE.unpack(text) is None
    assert PRICE.unpack_all([text, PRICE.pack(Price("AAPL", AT, 1.0))]) == [Price("AAPL", AT, 1.0)]
    assert refused() == before + 2


def test_what_cannot_be_read_is_logged_once(caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            PRICE.unpack(b'{"ticker": 5}')
    assert len(caplog.records) == 1
    assert "Price" in caplog.text


def test_a_format_that_changed_has_a_key_of_its_own():
    assert PRICE.key("quotes") == "finstage:quotes"
    assert Format(Price, number=2).key("quotes") == "finstage:quotes:2"
