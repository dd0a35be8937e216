"""Loaded once by the server that isolated jobs are forked from: the app with all that jobs need, and no connection.

Outside the package of the jobs, which cannot be imported before Django is set up.
"""

import django
from django.apps import apps

if not apps.ready:
    django.setup()
