"""The product's settings, for a Finstage that lacks the defence against what is poison in a queue."""

from finstage.settings import *  # noqa: F403

INSTALLED_APPS += ["tests.chaos.poison_weakened"]  # noqa: F405
