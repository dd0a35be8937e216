"""The Celery app of the measured worker."""

from finstage.celery import app

app.conf.include = ["tests.bench.jobs_sample"]
