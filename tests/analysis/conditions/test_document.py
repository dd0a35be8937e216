"""docs/conditions.md: what it shows can be read, and names what there is."""

import json
import re
from pathlib import Path

import pytest

from analysis import screener
from analysis.conditions import tree
from analysis.conditions.vocabulary import FIELDS, RECORDS
from analysis.screener import asking

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "conditions.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
LINES = next(told for kind, told in BLOCKS if not kind).splitlines()


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_read_as_it_is_shown(line):
    assert screener.read(line).node is not None


def test_the_tree_is_read_as_it_is_shown():
    (told,) = [told for kind, told in BLOCKS if kind == "json"]
    assert len(list(tree.comparisons(screener.read(json.loads(told)).node))) == 4


def test_every_name_and_operator_is_told_of():
    names = [*FIELDS, *RECORDS, *asking.FIGURES, *(each for each in tree.OPERATORS if each not in tree.ORDERED)]
    assert [name for name in names if f"`{name}" not in TEXT] == []
    assert all(str(bound) in TEXT for bound in (tree.MOST_DEPTH, tree.MOST_NODES, tree.MOST_BARS))
