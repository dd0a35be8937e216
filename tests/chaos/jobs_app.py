"""The Celery app of the workers that are broken. CHAOS_WITHOUT takes one of their defences away."""

from finstage.celery import app

app.conf.include = ["tests.chaos.jobs_sample"]
