"""The Celery app of a worker that knows the tests' own jobs too."""

from finstage.celery import app

app.conf.include = ["tests.monitoring.sample_jobs"]
