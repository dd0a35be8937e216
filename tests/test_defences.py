"""What chaos takes away is there: a weakened run that switches nothing off would prove nothing."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.chaos import defences

ROOT = Path(__file__).resolve().parent.parent
READY = "from tests import ready; from importlib import import_module; "
ALL = "it = import_module({!r}); [take() for name, take in vars(it).items() if name.startswith('without_')]"


def run(code: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", READY + code]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["jobs_weakened", "web_weakened"])
def test_every_defence_that_chaos_takes_away_is_there_by_its_name(name):
    done = run(ALL.format(f"tests.chaos.{name}"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("settings", ["poison_settings", "jobs_web"])
def test_every_defence_that_settings_of_chaos_take_away_is_there_by_its_name(settings):
    done = run("", DJANGO_SETTINGS_MODULE=f"tests.chaos.{settings}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["jobs_weakened", "web_weakened"])
def test_a_defence_that_nobody_knows_is_not_taken_away_in_silence(name):
    done = run(f"import tests.chaos.{name}", CHAOS_WITHOUT="luck")
    assert done.returncode != 0
    assert "KeyError: 'without_luck'" in done.stderr


def test_a_defence_that_is_only_inherited_or_gone_is_said_to_be_none():
    class Door:
        lock = "shut"

    class Gate(Door):
        pass

    defences.put(Door, "lock", "open")
    assert Door.lock == "open"
    for owner, name in [(Gate, "lock"), (Door, "bolt"), (ModuleType("house"), "alarm"), (Gate(), "bolt")]:
        with pytest.raises(AttributeError, match=rf"has no {name} of its own \(any more\)"):
            defences.put(owner, name, None)
