"""What is read, what is refused and where, and the line that people type."""

import pytest
from jsonschema import Draft202012Validator

from analysis.conditions import reading, schema, texts, tree
from analysis.conditions.reading import Invalid
from analysis.conditions.texts import Misspelt
from analysis.conditions.vocabulary import Vocabulary

CLOSE = {"field": "close"}
NAMES = Vocabulary(signals=("golden_cross",))


def gt(**parts) -> dict:
    return {"left": CLOSE, "operator": "gt", "right": 1, **parts}


# What is told, and how it is written once it was read.
READ = [
    (gt(), gt()),
    (gt(right=1.5, within=5), gt(right=1.5, within=5)),
    (gt(left={"indicator": "rsi"}), gt(left={"indicator": "rsi_14", "output": "rsi"})),
    (gt(left={"indicator": "bbands_20_2", "output": "upperband", "interval": "1wk", "symbol": "SPY", "ago": 2,
              "times": 1.02}),) * 2,
    ({"all": [gt(), {"any": [gt(), {"not": gt()}]}]},) * 2,
    (gt(operator="between", right=[1, {"record": "high_52w"}]),) * 2,
    (gt(operator="in", right=[1]),) * 2,
    (gt(operator="rises_by", right={"percent": 5}, within="5m"),
     gt(operator="rises_by", right={"percent": 5}, within="300s")),
    ({"signal": "golden_cross"}, {"left": {"signal": "golden_cross"}, "operator": "eq", "right": 1}),
    ({"kind": "price_above", "level": 500}, gt(left={"field": "price"}, right=500)),
    ({"kind": "price_below", "level": 5}, gt(left={"field": "price"}, operator="lt", right=5)),
    ({"kind": "surge"}, gt(left={"field": "change_percent"}, operator="gte", right=5)),
    ({"kind": "plunge", "level": -7}, gt(left={"field": "change_percent"}, operator="lte", right=-7)),
    ({"kind": "percent_change", "level": -3}, gt(left={"field": "change_percent"}, operator="lte", right=-3)),
    ({"kind": "percent_change", "level": 3}, gt(left={"field": "change_percent"}, operator="gte", right=3)),
    ({"kind": "new_high"}, gt(left={"field": "high"}, right={"record": "high_52w", "ago": 1})),
    ({"kind": "new_low"}, gt(left={"field": "low"}, operator="lt", right={"record": "low_52w", "ago": 1})),
]  # fmt: skip
# What is refused: where, what the error says, and whether the schema says so too.
REFUSED = [
    (3, "where", "it must be", True), ({}, "where", "it must be", True), ({"all": []}, "where.all", "one cond", True),
    ({"any": gt()}, "where.any", "list", True), ({"all": [gt()], "any": [gt()]}, "where", "unknown: any", True),
    ({"all": [gt(), gt(left=True)]}, "where.all.1.left", "a number or an operand", True),
    ({"not": {"not": gt(right="2")}}, "where.not.not.right", "a number", True),
    (gt(right=float("nan")), "where.right", "a number", False), (gt(right=10**400), "where.right", "a number", False),
    (gt(left=None), "where.left", "a number", True), (gt(operator="above"), "where.operator", "one of gt", True),
    (gt(operator=["gt"]), "where.operator", "one of", True), (gt(more=1), "where", "unknown: more", True),
    (gt(within=0), "where.within", "from 1 to 500", True), (gt(within=501), "where.within", "500", True),
    (gt(within=True), "where.within", "500", True), (gt(within="5m"), "where.within", "bars from 1 to 500.", True),
    (gt(operator="rises_by", within="5y"), "where.within", "30m", True),
    (gt(operator="rises_by", within="999d"), "where.within", "a year", False),
    (gt(operator="rises_by", right=-1), "where.right", "above 0", False),
    (gt(operator="falls_by", right={"percent": 0}), "where.right", "above 0", False),
    (gt(operator="falls_by", left=3, right=CLOSE), "where.left", "neither", False),
    (gt(left=3), "where", "no number", False), (gt(operator="in", right=3), "where.right", "list", True),
    (gt(operator="in", right=[]), "where.right", "one operand or more", True),
    (gt(operator="inside", right=[1]), "where.right", "two operands", True),
    (gt(operator="inside", right=[2, 1]), "where.right", "the lower one first", False),
    (gt(operator="inside", right=[2, "x"]), "where.right.1", "a number", True),
    (gt(left={"field": "ask"}), "where.left", "no field 'ask'; there are price", False),
    (gt(left={"field": 3}), "where.left", "a name", True), (gt(left={"field": "x" * 65}), "where.left", "name", True),
    (gt(left={"indicator": "magic_3"}), "where.left", "no indicator 'magic_3'", False),
    (gt(left={"indicator": "sma_1"}), "where.left", "from 2 to 1000", False),
    (gt(left={"indicator": "bbands_20_2"}), "where.left", "upperband, middleband, lowerband", False),
    (gt(left={"indicator": "rsi_14", "output": "x"}), "where.left", "rsi", False),
    (gt(left={"record": "high_3y"}), "where.left", "high_52w", False),
    (gt(left={"signal": "magic"}), "where.left", "golden_cross", False),
    (gt(left={**CLOSE, "output": "x"}), "where.left", "no outputs", True),
    (gt(left={**CLOSE, "record": "high_52w"}), "where.left", "one of field", True),
    (gt(left={**CLOSE, "unit": "x"}), "where.left", "unknown: unit", True),
    (gt(left={**CLOSE, "interval": "2m"}), "where.left.interval", "1m, 5m", True),
    (gt(left={**CLOSE, "symbol": ""}), "where.left.symbol", "ticker", True),
    (gt(left={**CLOSE, "symbol": 3}), "where.left.symbol", "ticker", True),
    (gt(left={**CLOSE, "ago": -1}), "where.left.ago", "0 to 500", True),
    (gt(left={**CLOSE, "ago": 501}), "where.left.ago", "0 to 500", True),
    (gt(left={**CLOSE, "times": 0}), "where.left.times", "other than 0", True),
    ({"kind": "price_above"}, "where.level", "a number", True), ({"kind": "x"}, "where.kind", "price_above", True),
    ({"kind": "new_high", "level": 3}, "where", "unknown: level", True),
    ({"kind": "surge", "levle": 3}, "where", "unknown: levle", True),
]  # fmt: skip
SPELT = [
    ("rsi_14<30 and close>sma_200", {"all": [
        gt(left={"indicator": "rsi_14", "output": "rsi"}, operator="lt", right=30),
        gt(right={"indicator": "sma_200", "output": "sma"})]}),
    ("close > 1 or close >= 2 and not (close <= 3 or CLOSE = 4)", {"any": [
        gt(), {"all": [gt(operator="gte", right=2), {"not": {"any": [gt(operator="lte", right=3),
                                                                    gt(operator="eq", right=4)]}}]}]}),
    ('close crosses_up "^GSPC".bbands_20_2.5.upperband@1wk[2] * 1.02 within 3',
     gt(operator="crosses_up", within=3, right={"symbol": "^GSPC", "indicator": "bbands_20_2.5", "output": "upperband",
                                                "interval": "1wk", "ago": 2, "times": 1.02})),
    ("close between 1 and 2 and golden_cross", {"all": [
        gt(operator="between", right=[1, 2]), {"left": {"signal": "golden_cross"}, "operator": "eq", "right": 1}]}),
    ("close in [1, -2.5, high_52w]", gt(operator="in", right=[1, -2.5, {"record": "high_52w"}])),
    ("close rises_by 5% within 30m", gt(operator="rises_by", right={"percent": 5}, within="1800s")),
    ("1.02 * close falls_by 2", gt(left={**CLOSE, "times": 1.02}, operator="falls_by", right=2)),
]  # fmt: skip
MISSPELT = [
    ("", 0, "missing"), ("close", 5, "operator"), ("close > ", 8, "missing"), ("close >> 3", 7, "missing"),
    ("close > 3 and", 13, "missing"), ("(close > 3", 10, ") is missing"), ("close > 3)", 9, "could end"),
    ("close > 3 close", 10, "could end"), ("close > 3 $", 10, "'$'"), ("close > 1 and magic_3 > 2", 14, "magic_3"),
    ("close > 3 within 501", 17, "500"), ("close > 3 within x", 17, "bars"), ("3 > 2", 0, "no number"),
    ("close between 2 and 1", 14, "lower"), ("close between 2 or 1", 16, "and is missing"),
    ("close[x] > 1", 6, "number of bars"), ("close@2m > 1", 0, "1m, 5m"), ('"SPY" > 1', 6, ". is missing"),
    ("close > ٣", 8, "knows"), ("bbands_20_2.upper > 1", 0, "upperband"),
    ("close between 2 and magic_3", 20, "magic_3"), ("close in 3", 9, "[ is missing"),
]  # fmt: skip


def test_what_is_read_is_written_one_way_and_the_schema_knows_both():
    checker = Draft202012Validator(schema.condition())
    for told, written in READ:
        found = reading.read(told, NAMES)
        assert found.as_json() == written
        assert reading.read(written, NAMES) == found
        assert list(checker.iter_errors(told)) == list(checker.iter_errors(written)) == []


def test_what_is_refused_is_named_by_its_path():
    checker = Draft202012Validator(schema.condition())
    for told, path, why, is_of_shape in REFUSED:
        with pytest.raises(Invalid) as refused:
            reading.read(told, NAMES, path="where")
        errors = refused.value.errors
        assert (list(errors), why.lower() in errors[path][0].lower()) == ([path], True), (told, errors)
        assert checker.is_valid(told) is not is_of_shape, told


def test_all_faults_are_told_at_once():
    with pytest.raises(Invalid) as refused:
        reading.read({"all": [gt(left={"field": "x"}, within=0), {"not": 3}]})
    assert list(refused.value.errors) == ["condition.all.0.left", "condition.all.0.within", "condition.all.1.not"]


def test_depth_and_nodes_are_bounded_and_what_is_just_within_is_read():
    def nested(depth: int) -> dict:
        told = gt()
        for _ in range(depth - 1):
            told = {"not": told}
        return told

    assert reading.read(nested(tree.MOST_DEPTH))
    for depth in (tree.MOST_DEPTH + 1, 1000):
        with pytest.raises(Invalid, match="at most 32 deep") as refused:
            reading.read(nested(depth), path="where")
        assert list(refused.value.errors) == ["where" + ".not" * tree.MOST_DEPTH]
    assert reading.read({"any": [gt()] * 166})  # three nodes each, and their own
    for count in (167, 10_000):
        with pytest.raises(Invalid, match="at most 500 nodes") as refused:
            reading.read({"any": [gt()] * count})
        assert list(refused.value.errors) == ["condition.any.166.left"]


def test_a_line_is_read_into_the_same_tree():
    for text, told in SPELT:
        assert texts.read(text, NAMES) == reading.read(told, NAMES), text


def test_a_misspelt_line_is_shown_at_its_place():
    for text, at, why in MISSPELT:
        with pytest.raises(Misspelt) as refused:
            texts.read(text, NAMES)
        assert (refused.value.at, why in refused.value.why) == (at, True), (text, refused.value.at, refused.value.why)
    assert str(refused.value).splitlines()[1:] == ["  close in 3", "           ^"]


def test_a_line_is_bounded_like_a_tree():
    for text in ("(" * 1000, "not " * 990 + "close > 1", "close > 1 and " * 250 + "close > 1", "x" * 4001):
        with pytest.raises(Misspelt, match="at most"):
            texts.read(text)
    assert texts.read("(" * 31 + "close > 1" + ")" * 31) == texts.read("close > 1")
    with pytest.raises(Misspelt, match="at most 32 deep"):
        texts.read("(" * 32 + "close > 1" + ")" * 32)


def test_a_query_is_read_into_one_tree_and_its_errors_are_by_parameter():
    pairs = [("rsi_14.lt", "30"), ("macd_12_26_9.macdsignal.gt", "0"), ("close.between", "1,sma_20"), ("close.in", "1")]
    line = "rsi_14 < 30 and macd_12_26_9.macdsignal > 0 and close between 1 and sma_20 and close in [1]"
    assert texts.of_query(pairs) == texts.read(line)
    assert texts.of_query(pairs[:1]) == texts.read("rsi_14 < 30")
    with pytest.raises(Invalid) as refused:
        texts.of_query([("rsi_14.below", "30"), ("close.gt", "30 40"), ("magic.gt", "3"), ("gt", "3"), *pairs])
    assert list(refused.value.errors) == ["rsi_14.below", "close.gt", "magic.gt", "gt"]
    with pytest.raises(Invalid, match="one condition at least"):
        texts.of_query([])
