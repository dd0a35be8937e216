"""The Celery app: the doorbell of our jobs. A worker runs the jobs beside its pool, which only hears rings."""

import os

from celery import Celery, bootsteps, signals
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")

app = Celery("finstage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class Jobs(bootsteps.StartStopStep):
    """Starts and stops, with a Celery worker, the runner of our jobs; as many at once as the worker's concurrency."""

    requires = {"celery.worker.components:Pool"}

    def start(self, worker) -> None:
        # By name: this module is loaded before Django's apps are.
        self.runner = import_string("monitoring.jobs.worker.Worker")(worker.concurrency)
        self.runner.start()
        # Celery leaves out `stop` where it is told to end while it still starts.
        signals.worker_shutdown.connect(self._stop, weak=False)

    def stop(self, worker) -> None:
        self._stop()

    def _stop(self, **_signal: object) -> None:
        self.runner.stop()


app.steps["worker"].add(Jobs)
