"""One `up` at a time on one var/: a lock that the system lets go of when its holder ends, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError


@contextmanager
def held() -> Iterator[None]:
    """Keep every `up` away while the block lasts."""
    descriptor = take()
    try:
        yield
    finally:
        os.close(descriptor)


def take() -> int:
    """The lock, held until this descriptor is closed; raises CommandError where an `up` runs on the same folder."""
    path = settings.VAR / "up.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode() or "unknown"
        os.close(descriptor)
        raise CommandError(
            f"Finstage already runs on {settings.VAR} (process {holder}). End that with Ctrl-C or kill {holder}, or "
            "give this one a folder of its own with FINSTAGE_VAR=… and a PORT."
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor
