"""The Celery app of the workers that are broken. CHAOS_WITHOUT takes one of their defences away."""

import os

from finstage.celery import app

app.conf.include = ["tests.chaos.jobs_sample", "tests.chaos.jobs_weakened"]
os.environ.setdefault("CHAOS_WITHOUT", "")
