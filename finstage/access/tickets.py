"""One-time tickets: for a page or a program that opens a socket somewhere its cookie or key must not go."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from finstage.access import tokens
from finstage.access.tokens import Token
from monitoring import redis

LIFE_SECONDS = 30
SESSION, KEY = "session", "key"


class Holder(NamedTuple):
    """By what somebody was let in who then asked for a ticket: a session's key, or an API key's id."""

    kind: str
    name: str


def make(holder: Holder) -> tuple[str, datetime]:
    """A ticket, and when it is over. Raises redis' errors."""
    token = Token.new(tokens.TICKET)
    redis.client().set(_place(token), orjson.dumps([*holder]), ex=LIFE_SECONDS)
    return token.text, datetime.now(UTC) + timedelta(seconds=LIFE_SECONDS)


def redeem(token: Token) -> Holder | None:
    """Who asked for it; once, whoever comes first. Raises redis' errors."""
    kept = redis.client().getdel(_place(token))
    return None if kept is None else Holder(*orjson.loads(kept))


def _place(token: Token) -> str:
    return redis.key("ticket", token.digest)
