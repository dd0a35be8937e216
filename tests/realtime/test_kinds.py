"""The table of kinds, and what derives from it."""

import pytest

from realtime import kinds, messages
from realtime.kinds import KINDS


def test_every_kind_tells_messages_of_the_protocol():
    assert {kind.message for kind in KINDS.values()} <= messages.MESSAGES.keys()
    assert set(messages.TYPES) == {*KINDS, messages.EVERYTHING}


def test_nothing_that_may_not_be_lost_is_replaced_by_a_later_one():
    lossless = {kind.name for kind in KINDS.values() if not kind.conflates(is_forming=False)}
    assert lossless == {"bars", "indicators", "signals", "alerts", "news", "system", "jobs", "metrics"}
    assert {kind.name for kind in KINDS.values() if kind.conflates(is_forming=True)} == {"prices", "bars", "indicators"}


def test_what_a_later_one_replaces_before_it_is_over_is_not_kept():
    assert {kind.name for kind in KINDS.values() if not kind.keeps(is_forming=True)} == {"bars", "indicators"}
    assert all(kind.keeps(is_forming=False) for kind in KINDS.values())


def test_a_users_own_stream_is_told_by_no_number():
    assert [kinds.public(stream) for stream in ("alerts:@12", "alerts:AAPL", "system")] == [
        "alerts:@me", "alerts:AAPL", "system",
    ]  # fmt: skip
    assert [kinds.owner(stream) for stream in ("alerts:@12", "alerts:AAPL", "system")] == ["12", None, None]


def test_the_symbol_of_a_stream_is_never_a_user_nor_the_market():
    streams = ("prices:GC=F", "bars:BRK-B@5m", "indicators:AAPL@5m/sma_100", "alerts:@12", "news:*market", "system")
    assert [kinds.ticker(stream) for stream in streams] == ["GC=F", "BRK-B", "AAPL", None, None, None]


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("prices:GC=F", "/api/v2/symbols/GC=F/quote/"),
        ("bars:AAPL@5m", "/api/v2/symbols/AAPL/bars/?interval=5m"),
        ("indicators:^GSPC", "/api/v2/technical-analysis/indicators/^GSPC"),
        ("system", "/api/v2/events/?stream=system&after=x:0"),
        ("alerts:@me", "/api/v2/events/?stream=alerts:@me&after=x:0"),
        ("alerts:GC=F", "/api/v2/events/?stream=alerts:GC%3DF&after=x:0"),
        ("alerts:BRK%2FB", "/api/v2/events/?stream=alerts:BRK%252FB&after=x:0"),
        ("metrics", None),
    ],
)
def test_a_gap_names_the_path_that_has_what_is_missing(stream, path):
    assert messages.gap(stream, "x", 1, 2, "limit").get("rest") == path
