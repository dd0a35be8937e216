"""Finstage's settings, and jobs to rehearse with."""

from finstage.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.browser.rehearsal"]  # noqa: F405
