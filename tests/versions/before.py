"""The main before this work, from git's history: what a deploy or a rollback runs beside us, on the same data.

Whoever releases moves COMMIT to what is deployed, and makes the used databases anew (tests/used/make.py).
"""

import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests import services

ROOT = Path(__file__).resolve().parent.parent.parent
COMMIT = "276252cdcc44441a078e52c24ab9ba503e22578b"
FETCH_SECONDS = 60
GIT = ["git", "-c", "safe.directory=*"]  # a copy may belong to somebody else than who tests it
# `python -m tests` tells these as not run; the first two are how a copy can be, the last can be mended.
NO_HISTORY = "the version before can't run beside this one: there is no git history here"
OTHER_HISTORY = f"the version before can't run beside this one: this history does not hold {COMMIT[:7]}"
SHALLOW = "the version before can't run beside this one: this clone is shallow. To get it: git fetch --unshallow"


@cache
def folder() -> Path:
    """Its code, unpacked for this run. Skips the test where git does not have it."""
    if reason := _why_not():
        pytest.skip(reason)
    path = services.folder() / "before"
    path.mkdir()
    parts = ["manage.py", "finstage", "monitoring", "market", "analysis", "realtime", "templates", "static", "locale"]
    packed = subprocess.run([*GIT, "archive", COMMIT, *parts], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", path], input=packed, check=True)
    return path


@cache
def _why_not() -> str:
    """Why git can't give it; empty where it can. A shallow clone is asked to fetch this one commit."""
    if _git("rev-parse", "--show-toplevel") != str(ROOT):
        return NO_HISTORY
    if _has_it():
        return ""
    if _git("rev-parse", "--is-shallow-repository") != "true":
        return OTHER_HISTORY
    _git("fetch", "--quiet", "--depth=1", "origin", COMMIT)
    return "" if _has_it() else SHALLOW


def _has_it() -> bool:
    return _git("cat-file", "-t", COMMIT) == "commit"


def _git(*words: str) -> str:
    """What git says, empty where it fails."""
    try:
        done = subprocess.run([*GIT, *words], cwd=ROOT, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
