from importlib import import_module

from django.apps import AppConfig


class Weakened(AppConfig):
    name = "tests.chaos.poison_weakened"
    label = "poison_weakened"

    def ready(self) -> None:
        # By name: rows can't be imported before all apps are ready.
        import_module("market.quotes.checks").quote_fault = lambda quote, now: None
        import_module("monitoring.refusals").apart = lambda items, write, refuse: [write(items)]
