"""`/ws/realtime`: reads what a client says, answers it, and hands the rest to the hub."""

import asyncio
import contextlib
import logging
import secrets
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from realtime import actions, messages, process, visitors
from realtime.buckets import Bucket
from realtime.clients import Client
from realtime.hub import Unreachable
from realtime.messages import CLOSE, Refused
from realtime.transports.logs import sparing
from realtime.visitors import Busy

logger = logging.getLogger(__name__)

AUTHENTICATION_SECONDS = 10.0


class RealtimeConsumer(AsyncWebsocketConsumer):
    """One socket. It has no channel layer: layers drop in silence when they are full."""

    channel_layer_alias = "none"
    scope: WebSocketScope
    deadline: asyncio.Task | None = None  # by which it must be somebody

    async def connect(self) -> None:
        if fault := visitors.origin_fault(self.scope):
            sparing.tell(logger.warning, fault, "refused a WebSocket: %s", fault)
            await self.close(CLOSE["origin_not_allowed"])
            return
        await self.accept()
        self.client = Client(
            secrets.token_hex(8),
            self._send_text,
            self.close_with,
            (self.scope.get("extensions") or {}).get("finstage.raw"),
            visitors.login(self.scope),
        )
        self.requests = Bucket(per_second=10, burst=20)
        self.refusals = Bucket(per_second=0.5, burst=20)
        self.terms: dict[str, Any] = {"batch": False, "pace_ms": None, "fields": None}
        self.is_over = self.is_closed = False
        try:
            process.crowd.come(self.client, visitors.address(self.scope))
        except Refused as refused:
            await self.refuse(refused, None)
            return
        process.hub.attach(self.client)
        self.client.say(messages.connected(self.client.client_id))
        process.hub.tell_status(self.client)
        if (key := visitors.key(self.scope)) is not None:
            await self._carry_out({"action": "authenticate", "token": key})
        # Also one whose key nobody could look at for now, or after too many wrong ones.
        if not settings.MARKET_DATA_OPEN and self.client.person is None and not self.is_over:
            self._expect_somebody()

    async def __call__(self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """As Channels' own, which makes two tasks of each message to wait for a layer too.

        However it ends, by a close, an exception or the server's cancel: nothing of it stays.
        """
        self.scope, self.base_send = scope, send
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            return
        finally:
            if self.deadline is not None:
                self.deadline.cancel()
            if hasattr(self, "client"):
                process.replays.leave(self.client)
                process.hub.detach(self.client)
                process.rights.forget(self.client)
                process.starting.forget(self.client)
                process.crowd.leave(self.client)
                self.is_over = self.is_closed = True
                del self.client  # which knows how to close this

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels' own, without its hop to the shared database thread, where one slow query stops every socket."""
        handler = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self._disconnected,
        }[message["type"]]
        await handler(message)

    async def _disconnected(self, message: dict[str, Any]) -> None:
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.is_over:
            return
        if not self.requests.take():
            # Its id is read all the same: of so few before the close that a flood costs no more.
            text = "Too many messages: 10 a second, 20 at once."
            await self.refuse(Refused("rate_limited", text, id=messages.id_of(text_data)), "too_many_requests")
            return
        try:
            action = messages.read(text_data)
        except Refused as refused:
            await self.refuse(refused, "too_many_errors")
            return
        await self._carry_out(action)

    async def _carry_out(self, action: dict[str, Any]) -> None:
        try:
            await actions.carry_out(self, action)
        except Refused as refused:
            refused.id = action.get("id", refused.id)
            await self.refuse(refused, "too_many_errors")
        except (Busy, *Unreachable) as error:
            logger.warning("%s: %s", action["action"], error)
            text = "The server can't reach its data right now; try again in a few seconds."
            await self.refuse(Refused("temporarily_unavailable", text, id=action.get("id")), None)

    # How it answers

    def say(self, message: dict[str, Any]) -> None:
        self.client.say(message)
        process.hub.answer(self.client)

    async def refuse(self, refused: Refused, closing: str | None) -> None:
        self.say(messages.error(refused.code, str(refused), **refused.more))
        if refused.code in CLOSE:  # nothing that follows on this connection would mend it
            await self.close_with(CLOSE[refused.code])
        elif closing and not self.refusals.take():
            await self.close_with(CLOSE[closing])

    def _expect_somebody(self) -> None:
        """Where reading needs a login a socket of nobody is good for nothing: it has a while to say who it is."""
        self.deadline = asyncio.create_task(self._end_nobody())

    async def _end_nobody(self) -> None:
        while self.client.person is None:
            await asyncio.sleep(AUTHENTICATION_SECONDS)
            try:
                if self.client.person is None and await process.rights.identify(self.client) is None:
                    text = f"Reading needs a login here, and none came within {AUTHENTICATION_SECONDS:g} s."
                    await self.refuse(Refused("login_required", text), None)
                    await self.close_with(CLOSE["authentication_timeout"])
                    return
            except Busy:
                continue
            except Refused as refused:
                await self.refuse(refused, None)
                return

    async def _send_text(self, text: str) -> None:
        if not self.is_closed:
            await self.send(text_data=text)

    async def close_with(self, code: int) -> None:
        """Once: its last words first, then why."""
        if self.is_over:
            return
        self.is_over = True
        await self.client.last_words()
        self.is_closed = True
        with contextlib.suppress(OSError):  # the client is gone already
            await self.close(code, messages.REASONS[code])
