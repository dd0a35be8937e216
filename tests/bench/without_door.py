"""The settings without who asks for keys and counts requests: what a page of bars cost before there was any."""

from finstage.settings import *  # noqa: F403
from finstage.settings import MIDDLEWARE, REST_FRAMEWORK

MIDDLEWARE = [each for each in MIDDLEWARE if each != "finstage.access.door.Middleware"]
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_AUTHENTICATION_CLASSES": ["finstage.access.Session"]}
