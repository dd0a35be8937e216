"""The settings of a web process that lacks its watch over the database."""

import asyncio

from finstage import watch
from finstage.settings import *  # noqa: F403
from tests.chaos.defences import put

put(watch.Watch, "silence", property(lambda self: asyncio.get_running_loop().create_future()))
