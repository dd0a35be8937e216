"""picows: a WebSocket library in Cython."""

import asyncio
import sys
from collections import defaultdict

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from tests.bench.stream.rivals import asked

subscribers: dict[str, set[WSTransport]] = defaultdict(set)


class Listener(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            for symbol in asked.symbols(frame.get_payload_as_bytes()):
                subscribers[symbol].add(transport)
            transport.send(WSMsgType.TEXT, asked.ANSWER.encode())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        for held in subscribers.values():
            held.discard(transport)


def listener(request: WSUpgradeRequest) -> WSListener:
    return Listener()


async def main(port: int) -> None:
    await ws_create_server(listener, "127.0.0.1", port, backlog=4096)
    async for symbol, body in asked.lines():
        for transport in subscribers[symbol]:
            transport.send(WSMsgType.TEXT, body)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
