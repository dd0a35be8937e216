from django.apps import AppConfig


class FinstageConfig(AppConfig):
    name = "finstage"
