"""Long work gives way: whatever else the loop has to do waits for a moment, also where several works are long."""

import asyncio
import time

from realtime.breath import Breath

WAITS_SECONDS = 0.05  # at most, by this thread's own clock: what others do on the machine does not count
AT_ONCE, PIECES, PIECE_SECONDS = 4, 100, 0.001


def test_other_work_waits_a_moment_while_several_works_are_long_at_once():
    waits = []

    async def work_long() -> None:
        breath = Breath()
        for _ in range(PIECES):
            until = time.thread_time() + PIECE_SECONDS
            while time.thread_time() < until:
                pass
            await breath.taken()

    async def other_work(long: list[asyncio.Task]) -> None:
        while not all(map(asyncio.Task.done, long)):
            before = time.thread_time()
            await asyncio.sleep(0)
            waits.append(time.thread_time() - before)

    async def scenario() -> None:
        await other_work([asyncio.create_task(work_long()) for _ in range(AT_ONCE)])

    asyncio.run(scenario())
    assert max(waits) <= WAITS_SECONDS
