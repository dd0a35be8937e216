"""What a rival shares with the others: what a client asked for, the answer, and the lines of stdin."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

ANSWER = '{"type":"subscribed"}'


def symbols(text: str | bytes) -> list[str]:
    return json.loads(text)["symbols"]


async def lines() -> AsyncIterator[tuple[str, bytes]]:
    """Symbol and JSON of each update."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        symbol, _, body = line[:-1].partition(b"\t")
        yield symbol.decode(), body
