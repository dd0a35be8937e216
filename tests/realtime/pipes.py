"""A client behind a real socket with small buffers, that reads as a test says."""

import asyncio
import json
import socket

from realtime.clients import Client
from realtime.hub import Hub

BUFFER_BYTES = 32 * 1024  # the kernel takes twice that


class Pipe:
    """The server's end writes; the far end hears while it `reads`."""

    def __init__(self) -> None:
        self.heard: list[dict] = []
        self.sizes: list[int] = []  # of the frames
        self.reads = asyncio.Event()
        self.reads.set()
        self.closed_with: int | None = None
        self.most_unsent = 0
        self._data = b""

    async def open(self) -> "Pipe":
        ours, self._theirs = socket.socketpair()
        for end in (ours, self._theirs):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        self._reading = asyncio.create_task(self._read())
        return self

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        self.most_unsent = max(self.most_unsent, self.get_write_buffer_size())

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def is_closing(self) -> bool:
        return self.closed_with is not None

    async def close(self, code: int) -> None:
        self.closed_with = code

    def said(self, kind: str) -> list[dict]:
        return [message for message in self.heard if message.get("type") == kind]

    def seqs(self, stream: str) -> list[int]:
        return [message["seq"] for message in self.heard if message.get("n") == stream]

    async def _read(self) -> None:
        while True:
            await self.reads.wait()
            self._data += await asyncio.get_running_loop().sock_recv(self._theirs, 1 << 16)
            while (frame := self._frame()) is not None:
                self.heard.append(json.loads(frame))
                self.sizes.append(len(frame))

    def _frame(self) -> bytes | None:
        if len(self._data) < 10:
            return None
        size, start = self._data[1], 2
        if size == 126:
            size, start = int.from_bytes(self._data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(self._data[2:10], "big"), 10
        if len(self._data) < start + size:
            return None
        frame, self._data = self._data[start : start + size], self._data[start + size :]
        return frame


async def connect(hub: Hub) -> tuple[Client, Pipe]:
    pipe = await Pipe().open()
    client = Client("test", send=None, close=pipe.close, port=pipe)
    hub.attach(client)
    return client, pipe
