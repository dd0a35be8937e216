"""A body in chunks: each says its size before it comes, and what stands beside the size is a part of what is sent."""

from typing import Protocol

from twisted.web import http

from realtime.transports.limits import PLAIN_LINE


class Expecting(Protocol):
    def handleContentChunk(self, data: bytes) -> None: ...
    def expect(self, size: int, beside: int) -> None:
        """Raises Refusal where a chunk of this size, or so many bytes beside it, is too much."""


class Chunks(http._ChunkedTransferDecoder):
    """Twisted's, that asks before it waits for a chunk."""

    def __init__(self, request: Expecting, finish):
        super().__init__(request.handleContentChunk, finish)
        self._request = request

    def _dataReceived_CHUNK_LENGTH(self) -> bool:
        before = len(self._buffer)
        is_read = super()._dataReceived_CHUNK_LENGTH()
        if is_read:
            self._request.expect(self.length, max(0, before - len(self._buffer) - PLAIN_LINE))
        return is_read
