"""What the README tells people to type exists."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from analysis.api import defaults

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^ {4}|`)make ([a-z]+)", README, re.MULTILINE))))
def test_a_make_target_that_the_readme_names_exists(target):
    assert target in TARGETS


@pytest.mark.parametrize("command", sorted(set(re.findall(r"manage\.py ([a-z_]+)", README))))
def test_a_command_that_the_readme_names_exists(command):
    assert command in get_commands()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?!var/)\w[\w.-]*/[\w./-]*)`", README))))
def test_a_file_that_the_readme_names_exists(path):
    assert (ROOT / path).exists()


def test_the_table_of_defaults_is_that_of_the_code():
    assert f"\n{defaults.table()}\n" in README


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_make_target_is_told_of_in_the_readme(target):
    assert f"make {target}" in README
