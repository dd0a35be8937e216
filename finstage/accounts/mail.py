"""Mail that leaves behind the answer: so that how long an answer takes tells nobody whether there was one to send."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from django.db import close_old_connections

logger = logging.getLogger(__name__)
MAY_WAIT = 64

_thread = ThreadPoolExecutor(1, thread_name_prefix="mail")
_room = BoundedSemaphore(MAY_WAIT)


def later(send: Callable[[], object]) -> bool:
    """Send in the background; False, and nothing is sent, where too much waits already."""
    if not _room.acquire(blocking=False):
        logger.error("a mail was not sent: %d wait already. Does the mail server of EMAIL_URL answer?", MAY_WAIT)
        return False
    _thread.submit(_send, send)
    return True


def _send(send: Callable[[], object]) -> None:
    close_old_connections()
    try:
        send()
    except Exception as error:  # noqa: BLE001 - one mail that breaks must not stop the next
        # No traceback: it could hold the link.
        logger.error("a mail was not sent: %s. Is EMAIL_URL right?", type(error).__name__)
    finally:
        close_old_connections()
        _room.release()
