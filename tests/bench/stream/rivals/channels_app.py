"""Channels as its tutorial has it: a group a symbol over the Redis layer, by daphne. Updates come through the layer."""

import os
import sys

import django
from daphne.cli import CommandLineInterface
from django.conf import settings

settings.configure(
    SECRET_KEY="of-a-rival-in-a-bench",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # Without a timeout of its own it loses a socket every 5 s to redis-py's.
            "CONFIG": {"hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": 30}], "prefix": "rival"},
        }
    },
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 - Django is set up first
from channels.layers import get_channel_layer  # noqa: E402, F401 - for who publishes
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from tests.bench.stream.rivals import asked  # noqa: E402


class Prices(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.symbols: list[str] = []
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.symbols = asked.symbols(text_data)
        for symbol in self.symbols:
            await self.channel_layer.group_add(symbol, self.channel_name)
        await self.send(text_data=asked.ANSWER)

    async def disconnect(self, code: int) -> None:
        for symbol in self.symbols:
            await self.channel_layer.group_discard(symbol, self.channel_name)

    async def price_update(self, event: dict) -> None:
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter({"websocket": URLRouter([re_path("", Prices.as_asgi())])})

if __name__ == "__main__":
    sys.modules["tests.bench.stream.rivals.channels_app"] = sys.modules[__name__]  # daphne imports it by its name
    where = ["--bind", "127.0.0.1", "--port", sys.argv[1], "-v", "0"]
    CommandLineInterface().run([*where, "tests.bench.stream.rivals.channels_app:application"])
