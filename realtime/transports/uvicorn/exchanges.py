"""A request that is there whole, and its answer."""

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import RequestResponseCycle

from realtime.transports import refusals
from realtime.transports.limits import MEMORY_BYTES
from realtime.transports.refusals import Refusal
from realtime.transports.uvicorn.arriving import Body


class Exchange(RequestResponseCycle):
    """Uvicorn's, with a body that is there already, and an application that is looked after like those of sockets."""

    def __init__(self, channel, body: Body) -> None:
        super().__init__(
            scope=channel.scope,
            conn=channel.conn,
            transport=channel.transport,
            flow=channel.flow,
            logger=channel.logger,
            access_logger=channel.access_logger,
            access_log=False,
            default_headers=channel.server_state.default_headers,
            message_event=asyncio.Event(),
            on_response=channel.on_response_complete,
        )
        self._channel, self._body, self._began_at = channel, body, time.monotonic()
        body.rewind()

    async def receive(self) -> dict[str, Any]:
        if self.more_body and not self.disconnected:
            data, self.more_body = self._body.read(MEMORY_BYTES)
            if not self.more_body:
                self._body.close()  # its file is not kept for as long as the answer takes
            return {"type": "http.request", "body": data, "more_body": self.more_body}
        await self.message_event.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if self.transport.is_closing():  # asyncio tells so only in its next turn
            self.disconnected = True
        await super().send(message)

    def end(self) -> None:
        """Nobody waits for more of the answer."""
        self.disconnected = not self.response_complete
        self.more_body = False
        self._body.close()
        self.message_event.set()

    def application_ended(self, error: BaseException | None) -> None:
        """Its application is done, perhaps without an answer or with half of one."""
        if self.disconnected or self.response_complete:
            return
        if self.response_started:
            self.abort()
        else:
            self._channel.refuse(refusals.not_answered())

    def check(self, now: float) -> float | None:
        if self.response_started or self.disconnected:
            return None
        late_at = self._began_at + self._channel.limits.answer_seconds
        if now >= late_at:
            self._channel.refuse(Refusal(503, "timeout", "Application failed to respond within time limit."))
            return None
        return late_at

    def abort(self) -> None:
        self.transport.abort()
