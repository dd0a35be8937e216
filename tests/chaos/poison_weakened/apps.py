from importlib import import_module

from django.apps import AppConfig

from tests.chaos.defences import put


class Weakened(AppConfig):
    name = "tests.chaos.poison_weakened"
    label = "poison_weakened"

    def ready(self) -> None:
        # By name: rows can't be imported before all apps are ready.
        put(import_module("market.quotes.checks"), "quote_fault", lambda quote, now, may_be_negative: None)
        put(import_module("monitoring.refusals"), "apart", lambda items, write, refuse: [write(items)])
