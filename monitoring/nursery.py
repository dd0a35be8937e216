"""Loaded once by the server that isolated jobs are forked from: the app with all that jobs need, and no connection.

Outside the package of the jobs, which cannot be imported before Django is set up.
"""

import contextlib
import ctypes
import gc
import logging

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # of malloc.h
_LARGE = 128 << 10  # bytes: what is larger, such as an answer of a source, goes back to the system once it is done with
logger = logging.getLogger(__name__)


def load_ahead() -> None:
    """Do what each process would do for itself else, which takes time and memory each time."""
    for name in settings.JOBS_LOAD_AHEAD:
        try:
            import_string(name)()
        except Exception:
            logger.exception("%s: each job does it itself", name)
        finally:
            connections.close_all()


load_ahead()
# Each thread would have an arena of its own, which keeps what it took: so many share two, where malloc has any.
with contextlib.suppress(AttributeError, OSError, TypeError):
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
    ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
# What is here stays: no process need look through it again, nor so make its own copy of it.
gc.collect()
gc.freeze()
