"""Says prices at a pace: `python -m tests.bench.stream.publisher HOW PORT TELL`.

Each line on stdin is a round: `SYMBOLS PER_SECOND COUNT`. It says on the descriptor TELL that it is ready, and
after each round.

They go out in groups, as a source's ticks come. Each update says when it was due, so that a publisher that falls behind
makes them late and not fewer. HOW:

lua     as the feed publishes: under its lease, through the Lua call
ready   lines as the Lua call makes them, straight to the hubs' channel: for a rate that no single feed reaches
lines   "SYMBOL\\tJSON" on stdout, which a rival reads
socket  the same as messages of a WebSocket on PORT
layer   to groups of Channels' layer
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence

from websockets.sync.client import connect

from tests.bench.stream import updates

GROUPS_A_SECOND = 60
Update = tuple[str, bytes]  # of a symbol
Say = Callable[[Sequence[Update]], None]


def run(say: Say, symbols: int, per_second: float, count: int) -> None:
    size = max(1, round(per_second / GROUPS_A_SECOND))
    turn, began = updates.in_turn(symbols), time.monotonic()
    for first in range(0, count, size):
        due = began + first / per_second
        time.sleep(max(0.0, due - time.monotonic()))
        numbered = [next(turn) for _ in range(min(size, count - first))]
        say([(symbol, updates.text(symbol, number, int(due * 1e6))) for number, symbol in numbered])


def lua() -> Say:
    import tests.ready  # noqa: F401, PLC0415 - Django is for ours alone
    from realtime import streams  # noqa: PLC0415
    from realtime.lease import Lease  # noqa: PLC0415
    from realtime.messages import Message  # noqa: PLC0415

    lease = Lease("feed", 60.0)
    assert lease.take()

    def say(found: Sequence[Update]) -> None:
        told = [Message(f"prices:{symbol}", body, keep=True, conflate=True) for symbol, body in found]
        streams.publish(told, lease=lease)

    return say


def ready() -> Say:
    import tests.ready  # noqa: F401, PLC0415
    from monitoring import redis  # noqa: PLC0415
    from realtime import streams  # noqa: PLC0415

    lua()([(symbol, updates.text(symbol, 0, 0)) for symbol in map(updates.ticker, range(updates.SYMBOLS))])
    client, places = redis.client(), {}

    def place(symbol: str) -> list:
        """Where the stream is, so that what follows is no hole."""
        epoch, seq = client.hmget(redis.key("stream", f"state:prices:{symbol}"), "epoch", "seq")
        return [epoch.decode(), int(seq)]

    def say(found: Sequence[Update]) -> None:
        lines = []
        for symbol, body in found:
            at = places.get(symbol) or places.setdefault(symbol, place(symbol))
            at[1] += 1
            head = f"prices:{symbol}\t{at[0]}\t{at[1]}\tkc\t"
            lines.append(head.encode() + body[:-1] + f',"seq":{at[1]}}}'.encode())
        client.publish(streams.channel(), b"\n".join(lines))

    return say


def lines() -> Say:
    def say(found: Sequence[Update]) -> None:
        sys.stdout.buffer.write(b"".join(b"%s\t%s\n" % (symbol.encode(), body) for symbol, body in found))
        sys.stdout.buffer.flush()

    return say


def socket(port: int) -> Say:
    client = connect(f"ws://127.0.0.1:{port}/", compression=None, proxy=None)

    def say(found: Sequence[Update]) -> None:
        for symbol, body in found:
            client.send(f"{symbol}\t{body.decode()}")

    return say


def layer() -> Say:
    from tests.bench.stream.rivals import channels_app  # noqa: PLC0415 - settings of its own

    groups, loop = channels_app.get_channel_layer(), asyncio.new_event_loop()

    async def send(found: Sequence[Update]) -> None:
        for symbol, body in found:
            await groups.group_send(symbol, {"type": "price.update", "text": body.decode()})

    return lambda found: loop.run_until_complete(send(found))


if __name__ == "__main__":
    how, port, told = sys.argv[1:]
    ways = {"lua": lua, "ready": ready, "lines": lines, "socket": lambda: socket(int(port)), "layer": layer}
    say = ways[how]()
    os.write(int(told), b".")
    for line in sys.stdin:
        symbols, per_second, count = line.split()
        run(say, int(symbols), float(per_second), int(count))
        os.write(int(told), b".")
