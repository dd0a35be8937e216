"""Finstage's settings, jobs to rehearse with, and passwords that cost a login nothing."""

from finstage.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.browser.rehearsal"]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
