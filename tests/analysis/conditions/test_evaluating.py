"""Three readings of one evaluator are equal, and what is true is what the words say."""

from collections.abc import Mapping
from random import Random

import numpy as np

from analysis.conditions import reading, tree
from analysis.conditions.evaluating import Condition
from analysis.conditions.tree import AT, FIELD, Series
from analysis.conditions.truth import FALSE, TRUE, UNKNOWN

NAN, INF = np.nan, np.inf
A, B, LEFT = Series(FIELD, "close"), Series(FIELD, "open"), {"field": "close"}
# A comparison, the values of its left side (and of `open`), and what it is at each bar: true, false or unknown.
TABLE = [
    ({"operator": "gt", "right": 2}, [1, 2, 3, NAN, INF], "fft??"),
    ({"operator": "lt", "right": 2}, [1, 2, 3], "tff"),
    ({"operator": "gte", "right": 2}, [1, 2, 3], "ftt"),
    ({"operator": "lte", "right": 2}, [1, 2, 3], "ttf"),
    ({"operator": "eq", "right": 2}, [1, 2, NAN], "ft?"),
    ({"operator": "in", "right": [1, {"field": "open"}]}, ([1, 2, 2, 3, 1], [NAN, 2, NAN, 5, NAN]), "tt?ft"),
    ({"operator": "gt", "right": {"field": "open"}}, ([1, 2, 2], [NAN, 1, 3]), "?tf"),
    ({"operator": "gt", "right": {"field": "open", "ago": 1, "times": 2}}, ([1, 3, 3, 9], [1, 2, NAN, 4]), "?tf?"),
    ({"operator": "lt", "right": {"field": "open", "times": 1e300}}, ([1, 1], [1e300, 1]), "?t"),
    # What a sum leaves in its last places is no difference.
    ({"operator": "eq", "right": 0.3}, [0.1 + 0.2, 0.3001], "tf"),
    ({"operator": "gt", "right": 0.3}, [0.1 + 0.2, 0.3001], "ft"),
    ({"operator": "lt", "right": 0.1 + 0.2}, [0.3, 0.2999], "ft"),
    ({"operator": "gte", "right": 0.1 + 0.2}, [0.3, 0.2999], "tf"),
    ({"operator": "lte", "right": 0.3}, [0.1 + 0.2, 0.3001], "tf"),
    ({"operator": "crosses_up", "right": 0.3}, [0.2999, 0.1 + 0.2, 0.2999, 0.3001], "ffft"),
    # Known to be outside of one edge, whatever the other is.
    ({"operator": "inside", "right": [1, {"field": "open"}]}, ([0, 1, 3, 4, 2], [NAN, 3, 3, 3, NAN]), "fttf?"),
    ({"operator": "outside", "right": [1, 3]}, [0, 1, 3, 4, NAN], "tfft?"),
    ({"operator": "between", "right": [1, 3]}, [0, 1, 3, 4, NAN], "fttf?"),
    # Nothing was before the first bar; a gap goes across; what touches has not crossed, however long.
    ({"operator": "crosses_up", "right": 2}, [1, 3, 3, 1, 5], "ftfft"),
    ({"operator": "crosses_up", "right": 2}, [3, 4, 1, 3], "?fft"),
    ({"operator": "crosses_up", "right": 2}, [1, 2, 2, 2, 3, 3], "fffftf"),
    ({"operator": "crosses_up", "right": 2}, [3, 2, 2, 3], "?fff"),  # what leaves to where it came from
    ({"operator": "crosses_up", "right": 2}, [2, 2, 3], "ff?"),  # from where it came to touch nobody knows
    ({"operator": "crosses_up", "right": 2}, [1, NAN, NAN, 3], "f??t"),
    ({"operator": "crosses_up", "right": 2}, [1, INF, 1, 3], "f?ft"),
    ({"operator": "crosses_down", "right": 2}, [1, 3, 2, 1, 2, 1, 3], "?fftfff"),
    ({"operator": "crosses", "right": 2}, [1, 3, 1, 2, 1, 3], "?ttfft"),
    ({"operator": "crosses_up", "right": {"field": "open"}}, ([1, 3, 3], [2, 2, 4]), "ftf"),
    ({"operator": "enters", "right": [1, 3]}, [2, 4, 3, 2, 0, NAN, 1], "?ftff?t"),
    ({"operator": "exits", "right": [1, 3]}, [2, 3, 4, 5, 2, NAN, 0], "fftff?t"),
    # From any of the bars that it may take; those before the first are unknown.
    ({"operator": "rises_by", "right": 2}, [1, 3, 4, 6, NAN, 9], "?tft??"),
    ({"operator": "rises_by", "right": 2, "within": 2}, [1, 2, 3, 3, NAN, 5, 6], "??tf?t?"),
    ({"operator": "falls_by", "right": 2, "within": 2}, [5, 4, 3, 3], "??tf"),
    ({"operator": "rises_by", "right": 0.2}, [0.1, 0.3], "?t"),  # 0.3 - 0.1 is less in float64
    ({"operator": "rises_by", "right": 0.2}, [0.1, 0.2999], "?f"),
    ({"operator": "rises_by", "right": {"percent": 5}}, [33.4, 35.07, 36.82, 0, 5, -5, 5], "?tff?f?"),
    ({"operator": "falls_by", "right": {"percent": 5}}, [20.2, 19.19, 18.4, 0, -1], "?tft?"),
    ({"operator": "rises_by", "right": {"field": "open"}}, ([1, 2, 4, 8, 9], [1, 0, 2, NAN, -1]), "??t??"),
    # A bar is a minute here.
    ({"operator": "rises_by", "right": 2, "within": "2m"}, [1, 2, 3, 3, 3, 6], "??tfft"),
    ({"operator": "falls_by", "right": 2, "within": "2m"}, [5, 5, 5, 5, 4, 3], "???fft"),
    # A state within some bars.
    ({"operator": "gt", "right": 2, "within": 2}, [3, 1, 1, NAN, 1, 1], "ttf??f"),
    ({"operator": "gt", "right": 2, "within": 3}, [1, 1, 1, 3, 1, 1, 1], "??ftttf"),
    ({"operator": "crosses_up", "right": 2, "within": 2}, [1, 3, 3, 3], "?ttf"),
]  # fmt: skip
# Of a tree over `close` what is true, and where it fires, is it of a moment or of a state.
ABOVE, BELOW = {"left": LEFT, "operator": "gt", "right": 2}, {"left": LEFT, "operator": "lt", "right": 2}
UP, ACROSS = {**ABOVE, "operator": "crosses_up"}, {**ABOVE, "operator": "crosses"}
FIRES = [
    (ABOVE, [1, 3, 3, NAN, 3, 1, NAN, 3], "ftt?tf?t", "ftf?ff?t"),
    (ABOVE, [3, 3, 1, 3], "ttft", "?fft"),  # since when it was true nobody knows
    (ACROSS, [1, 3, 1, 3], "?ttt", "?ttt"),
    ({"all": [ACROSS, {**ABOVE, "right": 0}]}, [1, 3, 1, -3], "?ttf", "?ttf"),
    ({"any": [ACROSS, {**BELOW, "right": 0}]}, [1, 3, 1, -3, -3], "?tttt", "??fff"),
    ({"not": UP}, [1, 3, 3], "tft", "?ft"),
    ({**UP, "within": 2}, [1, 1, 3, 3, 3], "?fttf", "?ftff"),
]
SAID = "f?t"


def read(told: dict) -> Condition:
    return Condition(reading.read(told))


def columns(given) -> dict[Series, np.ndarray]:
    left, right = given if isinstance(given, tuple) else (given, [NAN] * len(given))
    return {A: np.array(left, float), B: np.array(right, float), AT: np.arange(len(left)) * 60.0}


def said(told: np.ndarray) -> str:
    return "".join(SAID[each] for each in told.tolist())


def stepped(condition: Condition, values: Mapping[Series, np.ndarray], first: int) -> tuple[np.ndarray, np.ndarray]:
    """What it is at each bar from one on, and fires; each bar is judged before, as while it forms."""
    state, told = condition.opened({key: each[:first] for key, each in values.items()}), []
    for bar in range(first, len(values[A])):
        now = {key: each[bar] for key, each in values.items()}
        condition.step(state, {key: each + 1 for key, each in now.items()})
        true, fires, state = condition.step(state, now)
        told.append((true, fires))
    return np.array([each for each, _ in told]), np.array([each for _, each in told])


def test_it_is_true_false_or_unknown_at_each_bar():
    wrong = [
        (told, given, found, expected)
        for told, given, expected in TABLE
        if (found := said(read({"left": LEFT, **told}).over(columns(given)))) != expected
    ]
    assert wrong == []


def test_all_any_and_not_are_kleenes():
    words = {"f": BELOW, "t": ABOVE, "?": {**ABOVE, "right": {"field": "open"}}}
    values = columns(([3], [NAN]))

    def of(name: str, *each: str) -> str:
        return said(read({name: [words[letter] for letter in each]}).over(values))

    pairs = ["ff", "f?", "ft", "??", "?t", "tt"]
    assert [of("all", *pair) for pair in pairs] == ["f", "f", "f", "?", "?", "t"]
    assert [of("any", *pair) for pair in pairs] == ["f", "?", "t", "?", "t", "t"]
    assert [said(read({"not": words[each]}).over(values)) for each in "f?t"] == ["t", "?", "f"]


def test_what_is_so_fires_when_it_begins_and_what_happens_each_time():
    for told, given, true, fires in FIRES:
        condition = read(told)
        found = condition.over(columns(given))
        assert (told, said(found), said(condition.fires(found))) == (told, true, fires)


def test_a_history_many_symbols_and_a_live_step_are_equal_and_cutting_changes_nothing_but_to_unknown():
    random, checked = Random(5), 0
    for _ in range(60):
        condition = read(_tree(random, 3))
        values = _walks(random, symbols=3, bars=40)
        whole = condition.over(values)
        fires = condition.fires(whole)
        for symbol in range(3):
            alone = condition.over({key: each[:, symbol] for key, each in values.items()})
            assert np.array_equal(alone, whole[:, symbol])
        for first in (0, 17):
            steps, fired = stepped(condition, values, first)
            assert np.array_equal(steps, whole[first:])
            assert np.array_equal(fired, fires[first:])
        until = random.randrange(1, 40)
        assert np.array_equal(condition.over({key: each[:until] for key, each in values.items()}), whole[:until])
        for bars in (condition.bars, 12):
            now = condition.now({key: each[-bars:] for key, each in values.items()})
            assert ((now == whole[-1]) | (now == UNKNOWN)).all()
        checked += int((whole == TRUE).any() and (whole == FALSE).any())
    assert checked > 30  # else nothing was compared


def test_as_many_bars_as_it_says_are_enough_where_nothing_is_unknown_and_nothing_touches():
    random = Random(6)
    for _ in range(100):
        condition = read(_tree(random, 3, times=False))
        values = {key: np.array([random.uniform(1, 9) for _ in range(60)])[:, None] for key in (A, B)}
        parts = [condition.now({key: each[at - condition.bars : at] for key, each in values.items()}) for at in
                 range(condition.bars, 61)]  # fmt: skip
        whole = condition.over(values)[condition.bars - 1 :]
        assert (np.array(parts) == whole).mean() > 0.9  # a crossing may have begun further back
        assert ((np.array(parts) == whole) | (np.array(parts) == UNKNOWN)).all()


def test_it_says_how_many_bars_it_takes():
    deep = {**UP, "left": {**LEFT, "ago": 2}, "within": 3}
    told = [ABOVE, UP, {**ABOVE, "within": 3}, deep, {"all": [ABOVE, {"not": UP}]},
            {**ABOVE, "operator": "rises_by", "within": 4, "left": {**LEFT, "ago": 1}},
            {**ABOVE, "operator": "rises_by", "within": "5m"}]  # fmt: skip
    assert [read(each).bars for each in told] == [1, 2, 3, 6, 2, 6, 501]
    assert AT in read(told[-1]).series


def test_a_state_is_not_changed_by_a_bar_that_still_forms():
    condition = read({"all": [UP, {"left": LEFT, "operator": "rises_by", "right": 1, "within": 2}]})
    state = condition.opened({A: np.array([[1.0], [1.5]])})
    kept = [each.copy() for each in state]
    for _ in range(2):
        true, fires, _ = condition.step(state, {A: np.array([3.0])})
        assert (said(true), said(fires)) == ("t", "t")
    assert all(np.array_equal(*each, equal_nan=True) for each in zip(state, kept, strict=True))


def test_no_bars_are_no_answers():
    condition = read({**UP, "within": 3})
    assert len(condition.over({A: np.empty(0)})) == 0
    told, fires, _ = condition.step(condition.opened({A: np.empty((0, 1))}), {A: np.array([3.0])})
    assert (said(told), said(fires)) == ("?", "?")


def _tree(random: Random, depth: int, *, times: bool = True) -> dict:
    kind = random.choice(["all", "any", "not", "comparison", "comparison"]) if depth else "comparison"
    if kind == "not":
        return {"not": _tree(random, depth - 1, times=times)}
    if kind != "comparison":
        return {kind: [_tree(random, depth - 1, times=times) for _ in range(random.randint(1, 3))]}
    operator = random.choice(tree.OPERATORS)
    told = {"left": _operand(random), "operator": operator, "right": _right(random, operator)}
    if random.random() < 0.4:
        told["within"] = random.choice([2, 3, "2m", "3m"] if operator in tree.MOVES and times else [2, 3])
    return told


def _right(random: Random, operator: str):
    if operator in tree.CHANNELS:
        return [2, random.choice([5, {"field": "open"}])]
    if operator in tree.LISTS:
        return [1, 4, {"field": "open"}]
    return random.choice([2, {"percent": 30}] if operator in tree.MOVES else [3, 5, {"field": "open"}])


def _operand(random: Random) -> dict:
    return {"field": "close", "ago": random.choice([0, 0, 1, 2]), "times": random.choice([1, 1, 0.5])}


def _walks(random: Random, symbols: int, bars: int) -> dict[Series, np.ndarray]:
    """Of few values, so that they touch, and of which some are unknown."""

    def walk():
        return [[random.choice([1, 2, 3, 4, 5, 6, NAN]) for _ in range(symbols)] for _ in range(bars)]

    at = np.cumsum([[random.choice([30.0, 60.0, 120.0])] * symbols for _ in range(bars)], axis=0)
    return {A: np.array(walk(), float), B: np.array(walk(), float), AT: at}
