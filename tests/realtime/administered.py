"""Real web processes on one Redis, and who operates them."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from requests import Response, Session
from websockets.sync.client import ClientConnection, connect

from tests.conftest import LiveWeb, serving

TOKEN = "c" * 32


class Operator(Session):
    """A browser of somebody, or of nobody, that writes as our pages do."""

    def __init__(self, web: LiveWeb, **user) -> None:
        super().__init__()
        self.trust_env = False
        self.url = web.url
        if user:
            self.user = get_user_model().objects.create_user(**user)
            browser = Browser()
            browser.force_login(self.user)
            name = settings.SESSION_COOKIE_NAME
            self.cookies.update({name: browser.cookies[name].value, "csrftoken": TOKEN})
            self.headers["X-CSRFToken"] = TOKEN

    def request(self, method: str, path: str, **options) -> Response:
        return super().request(method, self.url + path, timeout=30, **options)

    def status(self) -> dict:
        return self.get("/ws/status").json()

    def until(self, condition: Callable[[dict], bool], *, seconds: float = 30) -> dict:
        """The status once it is so."""
        until = time.monotonic() + seconds
        while not condition(status := self.status()):
            assert time.monotonic() < until, status
            time.sleep(0.1)
        return status


@contextmanager
def webs(folder, *servers: str) -> Iterator[list[LiveWeb]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(serving(folder / f"log{number}", "manage.py", "web", "--server", server))
            for number, server in enumerate(servers)
        ]


@contextmanager
def socket(web: LiveWeb, *actions: dict) -> Iterator[ClientConnection]:
    """A client that has asked for all of it and was answered."""
    with connect(f"{web.ws_url}/ws/realtime", proxy=None) as client:
        client.client_id = hear(client, "connected")["client_id"]
        for action in actions:
            client.send(json.dumps(action))
            hear(client, {"subscribe": "subscribed"}.get(action["action"], "unsubscribed"))
        yield client


def hear(client: ClientConnection, type: str, seconds: float = 20) -> dict:
    while (message := json.loads(client.recv(seconds)))["type"] != type:
        pass
    return message


def subscribe(type: str, *symbols: str) -> dict:
    return {"action": "subscribe", "type": type, **({"symbols": list(symbols)} if symbols else {})}
