"""The Lua texts beside this module, each one step of the server, and what all of them are given."""

import secrets
from collections.abc import Sequence
from functools import cache
from importlib import resources

from redis.commands.core import Script

from monitoring import redis


@cache
def text(name: str) -> str:
    folder = resources.files("realtime.streams")
    return "".join((folder / f"{each}.lua").read_text() for each in ("sound", name))


def run(name: str, arguments: list, keys: Sequence[str] = ()) -> list:
    """Run a script by its name. Raises redis' errors."""
    return _registered(name)(keys=keys, args=arguments)


def prefix() -> str:
    return redis.key("stream", "")


def new_epoch() -> str:
    return secrets.token_hex(6)


@cache
def _registered(name: str) -> Script:
    return redis.client().register_script(text(name))
