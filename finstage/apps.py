from django.apps import AppConfig

from finstage import naming

# Every process has the Celery app, so that a task can be sent from anywhere.
from finstage.celery import app as celery_app


class FinstageConfig(AppConfig):
    name = "finstage"
    celery = celery_app

    def ready(self) -> None:
        """The models of every app are there by now."""
        naming.translate()
