"""A wrong setting stops the start with a sentence."""

import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("FINSTAGE_SOURCE", "bloomberg", "auto, yahoo, replay"),
        ("PORT", "http", "a number from 1 to 65535"),
        ("PORT", "0", "a number from 1 to 65535"),
        ("PORT", "80.5", "a whole number from 1 to 65535"),
        ("DEBUG", "yes", "true, false"),
        ("FINSTAGE_VAR", "/dev/null/var", "can't be made"),
        ("REDIS_URL", "http://127.0.0.1:6379", "redis://127.0.0.1:6379/0"),
        ("DATABASE_URL", "postgres://localhost/finstage", "mysql://user:password@host:3306/name"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_sentence(name, value, told):
    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert told in result.stderr
    assert name in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_missing_package_is_named_with_the_command_that_installs_it():
    # Without `site` Python finds no installed package.
    command = [sys.executable, "-S", "manage.py", "up"]
    result = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "django is not installed" in result.stderr
    assert "requirements/base.txt" in result.stderr
