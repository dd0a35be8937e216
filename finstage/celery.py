"""The Celery app: the doorbell of our jobs."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")

app = Celery("finstage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
