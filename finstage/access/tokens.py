"""The secrets that we hand out: how they look, and what is kept of them.

A token is `finstage_KIND_NAME_SECRET`. The name is public: rows are found by it, and people tell keys apart by it. The
secret is 256 random bits, which nobody guesses, so a fast hash keeps it: a slow one is for what people choose, and it
would cost each request what a login costs. The hash is keyed by SECRET_KEY: who has read the database alone can't even
tell whether a token is one of ours.
"""

import re
import secrets
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b, sha256
from typing import Self

from django.conf import settings

KEY, TICKET, INVITATION = "key", "ticket", "invitation"
NAME_CHARACTERS = 12
LONGEST = 200  # characters of what may be a token at all
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that looks like another, and no case that a database forgets
_TOKEN = re.compile(
    rf"finstage_({KEY}|{TICKET}|{INVITATION})_([{_ALPHABET}]{{{NAME_CHARACTERS}}})_([A-Za-z0-9_-]{{43}})"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One that was made, or one that somebody shows. text: all of it, to be told once."""

    kind: str
    name: str
    text: str

    @classmethod
    def new(cls, kind: str) -> Self:
        name = "".join(secrets.choice(_ALPHABET) for _ in range(NAME_CHARACTERS))
        return cls(kind, name, f"finstage_{kind}_{name}_{secrets.token_urlsafe(32)}")

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None where it has not even the look of one."""
        found = _TOKEN.fullmatch(text) if len(text) <= LONGEST else None
        return None if found is None else cls(found[1], found[2], text)

    @classmethod
    def none(cls) -> Self:
        """One of nobody's, for what has no look of any: to find that it is wrong takes as long."""
        return cls(KEY, "", "")

    @property
    def digest(self) -> str:
        """What is kept of it."""
        return blake2b(self.text.encode(), key=_secret(settings.SECRET_KEY), digest_size=32).hexdigest()


@cache
def _secret(key: str) -> bytes:
    return sha256(b"finstage.access.tokens:" + key.encode()).digest()
