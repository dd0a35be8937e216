"""The page of the certificates: read as they were measured, whatever they hold."""

import pytest

from analysis.conformance import kept
from analysis.indicators.entries import ENTRIES

pytestmark = pytest.mark.django_db
PAGE = "/conformance/"


def shown(client, **asked) -> list[str]:
    rows = client.get(PAGE, asked).context["rows"]
    return [row["name"] for row in rows if row["is_shown"]]


def test_every_certificate_stands_there_and_is_found_by_name_group_and_reference(client):
    assert shown(client) == list(ENTRIES)
    assert shown(client, q="BOLLINGER") == ["bbands", "percentb", "bandwidth"]
    assert {"rsi", "macd"} < set(shown(client, group="momentum", reference="checked"))
    assert "mama" in shown(client, reference="unchecked")
    assert shown(client, group="nonsense", reference="nonsense") == list(ENTRIES)


def test_what_a_certificate_holds_beyond_its_columns_is_listed_and_says_of_when_it_is(client, monkeypatch):
    told = kept.certificates()
    more = {"series": {"flat": {"values": 0, "reason": "0/0"}, "without volume": True}, "sheet": "Rsi__RSI.csv"}
    monkeypatch.setattr(kept, "certificates", lambda: told | {"rsi": told["rsi"] | more})
    text = client.get(PAGE, headers={"accept-language": "ko"}).content.decode()
    for part in ("상대강도지수(RSI)", "변동 없음", "values: 0, reason: 0/0", "거래량 0", "Rsi__RSI.csv"):
        assert part in text
    flat = told["rsi"]["behaviour"]["flat"]
    assert f"{flat['with_value']} / {flat['bars']}" in text
    assert f"{kept.origin()['measured_at'][:10]}" in text
    assert kept.origin()["library"] in text
