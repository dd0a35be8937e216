from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules, import_string


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        autodiscover_modules("tasks")  # where the apps declare their jobs
        post_migrate.connect(_seed_schedules, sender=self)


def _seed_schedules(**_facts: object) -> None:
    import_string("monitoring.jobs.schedules.seed")()
