"""`broadcast` of the library websockets, without compression."""

import asyncio
import sys
from collections import defaultdict

from websockets.asyncio.server import ServerConnection, broadcast, serve

from tests.bench.stream.rivals import asked

subscribers: dict[str, set[ServerConnection]] = defaultdict(set)


async def handle(connection: ServerConnection) -> None:
    try:
        async for text in connection:
            for symbol in asked.symbols(text):
                subscribers[symbol].add(connection)
            await connection.send(asked.ANSWER)
    finally:
        for held in subscribers.values():
            held.discard(connection)


async def main(port: int) -> None:
    async with serve(handle, "127.0.0.1", port, compression=None, backlog=4096):
        async for symbol, body in asked.lines():
            broadcast(subscribers[symbol], body.decode())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
