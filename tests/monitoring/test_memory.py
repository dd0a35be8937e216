"""What is free goes back to the system."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitoring import memory

MB, ROOT = 1 << 20, Path(__file__).parents[2]


def held() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="malloc is not glibc's")
def test_what_lies_between_what_is_used_is_given_back():
    memory.give_back()
    blocks = [bytes(60_000) for _ in range(500)]
    kept = blocks[::5]  # none of them at an end alone
    before = held()
    del blocks
    freed = held()
    memory.give_back()
    assert before - held() > 15 * MB
    assert freed - held() > 5 * MB, "it was given back before"
    assert sum(map(len, kept)) == 6_000_000


HOLES = """
from monitoring import memory
blocks = [bytes(2_000) for _ in range(3_000)]
kept = blocks[::2]
del blocks
before = memory.holes()
memory.fill_holes()
print(before, memory.holes())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="malloc is not glibc's")
def test_what_lies_between_what_is_used_is_filled_for_those_who_are_forked():
    told = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True, cwd=ROOT)
    before, after = map(int, told.stdout.split())
    assert before > 2 * MB
    assert after < before / 20


KEPT = """
import ctypes, os, sys
from pathlib import Path
import django
django.setup()
from django.db import connection
from monitoring import memory
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE rows_of_a_test AS SELECT randomblob(1000) AS value")
    cursor.executemany("INSERT INTO rows_of_a_test VALUES (randomblob(1000))", [()] * 1_000)
found = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libsqlite3" in line}
if not found:
    sys.exit()
told = ctypes.CDLL(min(found)).sqlite3_memory_used
told.restype = ctypes.c_longlong
before = told()
memory.give_back()
print(before, told())
"""


def test_what_sqlite_keeps_of_its_file_is_given_back(tmp_path):
    surroundings = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/kept.sqlite3"}
    surroundings["DJANGO_SETTINGS_MODULE"] = "finstage.settings"
    code = [sys.executable, "-c", KEPT]
    told = subprocess.run(code, capture_output=True, text=True, check=True, cwd=ROOT, env=surroundings)
    if not told.stdout:
        pytest.skip("SQLite is a part of this Python")
    before, after = map(int, told.stdout.split())
    assert before - after > MB / 4


def test_where_malloc_has_no_such_thing_nothing_happens(monkeypatch):
    monkeypatch.setattr(memory, "_library", lambda: sys)
    memory.give_back()
    memory.share()
    memory.fill_holes()
