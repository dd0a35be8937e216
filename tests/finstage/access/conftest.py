"""People with keys, and a script that has nothing but one."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import requests
from django.utils import timezone

from finstage.access import door, keys
from finstage.models import ApiKey, User
from monitoring.limits import Limit

ALL = ApiKey.SCOPES


@pytest.fixture(autouse=True)
def fresh_door(monkeypatch) -> None:
    """Nothing is remembered of the tests before."""
    keys.forget()
    monkeypatch.setattr(door, "_wrong", Limit("wrong-keys", door.WRONG_A_MINUTE))


@pytest.fixture
def alice(db) -> User:
    return User.objects.create_user("alice", is_staff=True)


@pytest.fixture
def bob(db) -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def make() -> Callable[..., tuple[ApiKey, str]]:
    """make(owner, "read", "write"): a key of these scopes, and its text."""

    def made(owner: User, *scopes: str, expires_at: datetime | None = None, by: int | None = None) -> tuple:
        return keys.make(owner, "a script", scopes or ALL, expires_at, by)

    return made


class Script(requests.Session):
    """What has a key and nothing else."""

    def __init__(self, url: str, key: str | None = None) -> None:
        super().__init__()
        self.trust_env, self.url = False, url
        if key is not None:
            self.headers["Authorization"] = f"Bearer {key}"

    def request(self, method: str, path: str, **options) -> requests.Response:
        return super().request(method, self.url + path, timeout=30, **options)


@pytest.fixture
def script(live_web) -> Iterator[Callable[..., Script]]:
    made: list[Script] = []

    def start(key: str | None = None) -> Script:
        made.append(Script(live_web.url, key))
        return made[-1]

    yield start
    for each in made:
        each.close()


def in_days(days: float) -> datetime:
    return timezone.now() + timedelta(days=days)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
