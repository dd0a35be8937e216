"""A wrong setting stops the start with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from finstage import addresses

OTHER_PYTHON = """
import os.path, sys
sys.executable, sys.argv, os.path.exists = "/usr/bin/other", ["manage.py", "up"], lambda path: True
import manage
"""


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("FINSTAGE_SOURCE", "bloomberg", "auto, yahoo, replay"),
        ("PORT", "http", "a number from 1 to 65535"),
        ("PORT", "0", "a number from 1 to 65535"),
        ("PORT", "80.5", "a whole number from 1 to 65535"),
        ("FINSTAGE_COLUMNS_BYTES", "-1", "a number from 0 to 68719476736"),
        ("FINSTAGE_ANSWERS_BYTES", "-1", "a number from 0 to 68719476736"),
        ("FINSTAGE_CACHES_BYTES", "-1", "a number from 0 to 68719476736"),
        ("FINSTAGE_CACHES_SHARED_BYTES", "-1", "a number from 0 to 68719476736"),
        ("DEBUG", "yes", "true, false"),
        ("FINSTAGE_VAR", "/dev/null/var", "can't be made"),
        ("REDIS_URL", "http://127.0.0.1:6379", "redis://127.0.0.1:6379/0"),
        ("REDIS_URL", "redis://localhost:6379/abc", "the database 'abc', which must be a number"),
        ("REDIS_URL", "redis://", "names no host"),
        ("REDIS_URL", "redis://localhost:abc/0", "its port must be a number"),
        ("REDIS_URL", "unix://", "names no socket"),
        ("BROKER_URL", "foo://x", "begins with 'foo'"),
        ("BROKER_URL", "redis://localhost/abc", "which must be a number"),
        ("DATABASE_URL", "postgres://localhost/finstage", "mysql://user:password@host:3306/name"),
        ("DATABASE_URL", "sqlite://", "processes can't share a database in memory"),
        ("DATABASE_URL", "sqlite://:memory:", "processes can't share a database in memory"),
        ("DATABASE_URL", "mysql://ann:secret@localhost:abc/x", "its port must be a number"),
        ("DATABASE_URL", "mysql://ann:secret@localhost", "names no database"),
        ("CSRF_TRUSTED_ORIGINS", "your.name", "write https://your.name"),
        ("FINSTAGE_TRUSTED_PROXIES", "10.0.0.300", "write 127.0.0.1 or 10.0.0.0/8"),
        ("FINSTAGE_REQUESTS_PER_KEY", "-1", "a number from 0 to 1000000000"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_sentence(name, value, told):
    result = _run([sys.executable, "manage.py", "check"], **{name: value})
    assert result.returncode == 1
    assert told in result.stderr
    assert name in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("REDIS_URL", "redis://localhost:6379/0"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("DATABASE_URL", "mysql://ann:secret@localhost:3306/finstage"),
    ],
)
def test_a_server_that_others_may_share_needs_a_key_and_the_told_command_sets_one(name, url, tmp_path):
    refused = _check(tmp_path, **{name: url})
    assert refused.returncode == 1
    assert f"SECRET_KEY is not set, and {name} names a server" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert len(_key_told(refused.stderr)) > 60


def test_a_file_is_no_server_and_needs_no_key(tmp_path):
    assert _check(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/other.sqlite3").returncode == 0
    assert (tmp_path / "secret_key").exists()


def test_an_installation_that_made_its_own_key_is_told_to_keep_it(tmp_path):
    assert _check(tmp_path).returncode == 0
    refused = _check(tmp_path, REDIS_URL=os.environ["REDIS_URL"])
    assert "keeps everybody logged in" in refused.stderr
    kept = _key_told(refused.stderr)
    assert kept == (tmp_path / "secret_key").read_text()
    assert _check(tmp_path, REDIS_URL=os.environ["REDIS_URL"], SECRET_KEY=kept).returncode == 0


def _check(var: Path, **environment: str) -> subprocess.CompletedProcess:
    """`manage.py check` with embedded services, but for what is given."""
    embedded = dict.fromkeys(["REDIS_URL", "DATABASE_URL", "BROKER_URL", "SECRET_KEY"], "")
    return _run([sys.executable, "manage.py", "check"], **{**embedded, "FINSTAGE_VAR": str(var), **environment})


def _key_told(sentence: str) -> str:
    """The key that the sentence's own command writes, in a .env beside."""
    command = sentence[sentence.index("printf") : sentence.index(" >> ")]
    written = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
    return written.strip().removeprefix("SECRET_KEY=")


def test_a_socket_named_for_redis_serves_celery_too():
    assert addresses.as_broker("unix:///run/redis.sock?db=2") == "redis+socket:///run/redis.sock?virtual_host=2"
    assert addresses.broker_fault("redis+socket:///run/redis.sock?virtual_host=2") == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_web_on_every_address_answers_to_those_of_its_machine_and_names_them(host):
    own = addresses.own_hosts()
    assert set(own) < set(addresses.answering_to(host))
    assert addresses.elsewhere(host, 80, addresses.answering_to(host)) == [f"http://{name}:80/" for name in own]


def test_a_web_on_one_address_answers_to_that_one():
    assert addresses.answering_to("fd00::1") == ["127.0.0.1", "localhost", "[::1]", "[fd00::1]"]
    assert addresses.elsewhere("127.0.0.1", 80, addresses.answering_to("127.0.0.1")) == []


def test_a_missing_django_is_named_with_the_command_that_installs_it():
    # Without `site` Python finds no installed package.
    result = _run([sys.executable, "-S", "manage.py", "up"])
    assert result.returncode == 1
    assert "django is not installed" in result.stderr
    assert f"{sys.executable} -m pip install -r requirements/base.txt" in result.stderr


def test_another_python_is_told_which_one_has_the_packages():
    result = _run([sys.executable, "-S", "-c", OTHER_PYTHON])
    assert result.returncode == 1
    assert "not installed for /usr/bin/other" in result.stderr
    assert ".venv/bin/python manage.py up" in result.stderr


def test_hints_name_the_python_that_runs():
    assert (settings.BASE_DIR / settings.MANAGE.split()[0]).samefile(sys.executable)


def test_without_the_database_the_doctor_does_not_blame_the_source():
    result = _run([sys.executable, "manage.py", "doctor"], DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")
    [line] = [line for line in result.stdout.splitlines() if " source " in line]
    assert "stands in the database, which must answer first" in line
    assert "FINSTAGE_SOURCE" not in line


def test_a_missing_wheel_is_named_with_the_command_that_installs_it():
    result = _run(_without("drf_spectacular", "up"))
    assert result.returncode == 1
    assert "drf_spectacular is not installed" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_mariadb_without_its_driver_says_which_packages_to_install():
    result = _run(_without("MySQLdb", "up"), DATABASE_URL="mysql://ann:secret@127.0.0.1/finstage")
    assert result.returncode == 1
    assert "apt-get install gcc pkg-config python3-dev libmariadb-dev" in result.stderr
    assert "requirements.txt" in result.stderr


def _without(package: str, command: str) -> list[str]:
    """manage.py where a package cannot be imported."""
    absent = f"import sys; sys.modules[{package!r}] = None; sys.argv = ['manage.py', {command!r}]"
    code = f"{absent}; import manage; manage.main()"
    return [sys.executable, "-c", code]


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
