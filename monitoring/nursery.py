"""Loaded once by the server that isolated jobs are forked from: the app with all that jobs need, and no connection.

Outside the package of the jobs, which cannot be imported before Django is set up.
"""

import gc
import logging

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from monitoring import memory

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
memory.share()
# What is here stays: no process need look through it again, nor so make its own copy of it.
gc.collect()
gc.freeze()
memory.fill_holes()
