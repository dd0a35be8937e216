"""The protocol's page: what we send is what the schema says, and every hostile frame has its typed answer."""

import json
from datetime import UTC, date, datetime

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.summary import IndicatorValues
from market.bars.forming import daily_bar
from market.prices import Quote
from realtime import messages
from realtime.messages import Refused

NOW = datetime(2012, 9, 4, 14, 30, 5, 123_000, tzinfo=UTC)
SHAPES = {name: jsonschema.Draft202012Validator(shape) for name, shape in messages.ACTIONS.items()}
OF_SHAPE = {"invalid", "unknown_type", "unknown_action", "too_many_symbols"}
VALID = jsonschema.Draft202012Validator(messages.schema())


def quote(**changes) -> Quote:
    fields = {
        "ticker": "AAPL", "price": 675.0, "previous_close": 665.24, "open": 665.76, "high": 675.14, "low": 664.5,
        "volume": 13_133_000, "session_date": date(2012, 9, 4), "as_of": NOW, "as_of_precision": "second",
        "received_at": NOW, "source": "yahoo", "market_state": "open",
    }  # fmt: skip
    return Quote(**{**fields, **changes})


INDICATORS = IndicatorValues(
    "AAPL", "1d", NOW, "second", "split", True, {"sma_20": {"sma": None}}, "yahoo", NOW, date(2012, 9, 4)
)


def numbered(message: messages.Message) -> dict:
    return {**json.loads(message.body), "seq": 1}


def refusal(frame: str | None) -> str:
    with pytest.raises(Refused) as refused:
        messages.read(frame)
    return refused.value.code


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (None, "binary"),
        ("", "empty"),
        ("  \n ", "empty"),
        ("x" * 70_000, "oversized"),
        ("한" * 30_000, "oversized"),
        ("{", "malformed"),
        ("[]", "malformed"),
        ('"ping"', "malformed"),
        ("[" * 5000, "too_deep"),
        ('{"action": "ping", "action": "ping"}', "duplicate_key"),
        ('{"action": "ping", "id": NaN}', "not_a_number"),
        ('{"action": "ping", "id": -Infinity}', "not_a_number"),
        ('{"action": "ping", "id": ' + "9" * 5000 + "}", "malformed"),
        ('{"action": "ping", "id": "\\ud800"}', "malformed"),
        ('{"action": "ping", "\\udfff": 1}', "malformed"),
        ('{"action": "subscribe", "type": "prices", "symbols": ["\\ud800"]}', "malformed"),
        ('{"action": "__init__"}', "unknown_action"),
        ('{"action": ["ping"]}', "unknown_action"),
        ('{"action": "ping", "id": {}}', "invalid"),
        ('{"action": "ping", "extra": 1}', "invalid"),
        ('{"action": "subscribe", "type": "everything"}', "unknown_type"),
        ('{"action": "subscribe", "type": "prices", "symbols": "AAPL"}', "invalid"),
        ('{"action": "subscribe", "type": "prices", "symbols": [1]}', "invalid"),
        ('{"action": "subscribe", "type": "prices", "symbols": []}', "invalid"),
        ('{"action": "subscribe", "type": "prices", "mode": "fast"}', "invalid"),
        ('{"action": "subscribe", "type": "prices", "since": {"prices:AAPL": {"epoch": "a", "seq": -1}}}', "invalid"),
        ('{"action": "subscribe", "type": "prices", "since": {"prices:AAPL": {"epoch": "a", "seq": true}}}', "invalid"),
        ('{"action": "configure", "batch": 1}', "invalid"),
        (json.dumps({"action": "subscribe", "type": "prices", "symbols": ["A"] * 501}), "too_many_symbols"),
    ],
)
def test_a_hostile_frame_has_a_typed_refusal(frame, code):
    assert refusal(frame) == code


def test_brackets_in_a_string_are_no_depth():
    assert messages.read(json.dumps({"action": "ping", "id": '[[[["[[[[[[[[{{{{'}))["id"].count("[") == 12


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"action": "get_history", "symbol": "AAPL", "limit": 0}, "from 1 to 1000."),
        (
            {"action": "subscribe", "type": "alerts", "since": {"system": {"epoch": "a", "seq": -1}}},
            "0 or more.",
        ),
        (
            {"action": "replay", "symbols": ["AAPL"], "start": "2008-09-02", "end": "2008-10-31", "speed": 1e9},
            "from 1 to 100000.",
        ),
    ],
)
def test_a_number_out_of_bounds_is_told_the_bounds_there_are(action, said):
    with pytest.raises(Refused, match=f" must be {said}$"):
        messages.read(json.dumps(action))


def test_the_contracts_own_examples_are_read():
    for frame in (
        '{"action": "subscribe", "type": "prices", "symbols": ["AAPL", "GOOGL"]}',
        '{"action": "subscribe", "type": "alerts"}',
        '{"action": "get_current_prices", "symbols": ["AAPL"]}',
        '{"action": "get_history", "symbol": "AAPL", "limit": 50}',
        '{"action": "configure", "batch": true}',
        '{"action": "replay", "symbols": ["AAPL"], "start": "2012-09-04", "end": "2012-09-05", "speed": 60}',
    ):
        assert messages.read(frame) == json.loads(frame)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(list(messages.TYPES)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["action", "type", "id", "x"]), inner),
    max_leaves=12,
)
nearly = st.fixed_dictionaries(
    {"action": st.sampled_from(list(messages.ACTIONS)) | anything},
    optional={
        name: anything
        for name in ("type", "symbols", "since", "mode", "id", "batch", "speed", "limit", "token", "pace_ms", "fields")
    },
)


@settings(max_examples=600, deadline=None)
@given(nearly.map(json.dumps) | anything.map(json.dumps) | st.text())
def test_any_text_is_either_an_action_of_the_schema_or_refused(text):
    try:
        action = messages.read(text)
    except Refused as refused:
        jsonschema.validate(messages.error(refused.code, str(refused)), messages.MESSAGES["error"])
        if refused.code in OF_SHAPE:
            assert not any(shape.is_valid(json.loads(text)) for shape in SHAPES.values())
    else:
        SHAPES[action["action"]].validate(action)


@pytest.mark.parametrize(
    "frame",
    [
        '{"action": "get_history", "symbol": "AAPL", "limit": 50.0}',
        '{"action": "configure", "pace_ms": 1e3}',
        f'{{"action": "ping", "id": -{"9" * 18}}}',
        '{"action": "ping", "id": 1.0}',
        '{"action": "configure", "pace_ms": null, "fields": null}',
        '{"action": "subscribe", "type": "indicators", "symbols": ["AAPL"], "indicators": ["macd_12_26", "bb_20_2.5"]}',
    ],
)
def test_what_the_schema_allows_is_read(frame):
    assert SHAPES[json.loads(frame)["action"]].is_valid(json.loads(frame))
    assert messages.read(frame) == json.loads(frame)


def test_what_we_publish_is_what_the_schema_says():
    for message in (
        messages.price(quote()),
        messages.price(quote(previous_close=None, volume=None, as_of_precision="day")),
        messages.bar(daily_bar(quote()), "0199"),
        messages.indicators(INDICATORS),
        messages.system("Recorded sessions begin anew.", NOW),
    ):
        body = numbered(message)
        jsonschema.validate(body, messages.MESSAGES[body["type"]])


def test_what_we_answer_is_what_the_schema_says():
    for message in (
        messages.connected("abc"),
        messages.epoch("prices:AAPL", "e1"),
        messages.gap("bars:^GSPC", "e1", 1, 5, "history_expired"),
        messages.current_prices({"AAPL": quote(), "IBM": None}, NOW),
        messages.server_shutdown(1.5),
        messages.service_status({"redis": True, "feed": False, "source": False, "detail": None}, NOW),
        messages.service_status({"redis": True, "feed": True, "source": False, "detail": "It is away."}, NOW),
        messages.error("unknown_symbol", "no", id=1, symbols=["XYZ1"]),
    ):
        VALID.validate(message)


def test_the_price_update_of_the_contract_is_kept_to_the_letter():
    body = numbered(messages.price(quote()))
    assert body.items() >= {
        "type": "price_update", "symbol": "AAPL", "current_price": 675.0, "previous_close": 665.24, "change": 9.76,
        "change_percent": 1.4671, "volume": 13_133_000, "timestamp": "2012-09-04T14:30:05.123Z",
        "session_date": "2012-09-04", "as_of_precision": "second", "received_at": "2012-09-04T14:30:05.123Z",
        "source": "yahoo", "seq": 1,
    }.items()  # fmt: skip


def test_a_number_that_json_does_not_have_is_null_on_the_wire():
    assert b"NaN" not in messages.price(quote(volume=None, high=float("nan"))).body
