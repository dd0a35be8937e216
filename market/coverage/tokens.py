"""Tokens that are never given twice, and sort by when they were given."""

import secrets
import time
from datetime import UTC, date, datetime
from hashlib import blake2b


def new() -> str:
    """32 hexadecimal digits: the wall's milliseconds, then 80 random bits, as UUID 7 has them.

    No counter: a backup that is restored, or another database, would count the same numbers again.
    """
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def cut(token: str, session: date | str) -> str:
    """The version of what a series says up to a session that runs, of that of the whole; as old as it is."""
    told = blake2b(f"{token} {session}".encode(), digest_size=10).hexdigest()
    return token[:12] + told if token else token


def given_at(token: str) -> datetime | None:
    """When it was given; None of what is no token."""
    try:
        return datetime.fromtimestamp(int(token[:12], 16) / 1000, UTC) if len(token) == 32 else None
    except (ValueError, OverflowError, OSError):
        return None


def floor(at: datetime) -> datetime:
    """An instant as a token tells it: what was written in a token's own millisecond is not after it."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
