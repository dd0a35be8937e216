"""Our settings with views that misbehave on purpose."""

from finstage.settings import *  # noqa: F403

ROOT_URLCONF = "tests.finstage.web_urls"
