"""What a web process does when it is asked: each command is a function and an entry of one table."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from realtime import kinds, messages
from realtime.administration import rows
from realtime.breath import Breath
from realtime.clients import Client
from realtime.frames import Encoded
from realtime.hub.members import Members

COMES_SECONDS, LOOK_SECONDS = 0.6, 0.01  # a published message is on its way here for so long at most
TYPE, SYMBOL, CLIENT = "type", "symbol", "client"
_closing: set[asyncio.Task] = set()


async def clients(members: Members, *, after: list, limit: int, slow: bool) -> dict[str, Any]:
    """A page of this process's clients."""
    return await rows.page(members.clients, (after[0], after[1]), limit, slow=slow)


async def deliver(members: Members, *, message: dict[str, Any], target_type: str, target: str) -> dict[str, Any]:
    """Say an unnumbered message to those here that are meant; `delivered` is how many that are."""
    return await _deliver(members, message, set(TARGETS[target_type](members, target)))


async def others(members: Members, *, message: dict[str, Any], stream: str) -> dict[str, Any]:
    """Say it to those here that do not hold a stream."""
    held = members.held.get(stream)
    holding = {client for place in held.places() for client in place} if held else set()
    return await _deliver(members, message, {client for client in members.clients if client not in holding})


async def _deliver(members: Members, message: dict[str, Any], meant: set[Client]) -> dict[str, Any]:
    told, breath, delivered = Encoded(messages.encode(message)), Breath(), 0
    for client in meant:
        if client in members.clients:
            members.queue([client], "", told)
            delivered += 1
        await breath.taken()
    return {"delivered": delivered}


async def holders(members: Members, *, stream: str, seq: int) -> dict[str, Any]:
    """How many here were given the message of a stream, once it has come."""
    until = asyncio.get_running_loop().time() + COMES_SECONDS
    while (held := members.held.get(stream)) is not None:
        if held.main.seq >= seq or asyncio.get_running_loop().time() > until:
            return {"delivered": sum(len(list(place)) for place in held.places() if place.seq >= seq)}
        await asyncio.sleep(LOOK_SECONDS)
    return {"delivered": 0}


async def close(members: Members, *, client_id: str) -> dict[str, Any]:
    """Close a client, if it is one of ours."""
    client = next(_named(members, client_id), None)
    if client is not None:
        # A task: a client that does not read must not hold up the answer.
        closing = asyncio.create_task(client.close(messages.CLOSE["closed_by_staff"]))
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
    return {"closed": client is not None}


# Who is meant


def _of_type(members: Members, type: str) -> Iterable[Client]:
    """Who holds a stream of the type; `all` are those who asked so."""
    if type == messages.EVERYTHING:
        return (client for client in members.clients if type in client.asked)
    return _holding(members, lambda stream: kinds.of(stream).name == type)


def _of_symbol(members: Members, ticker: str) -> Iterable[Client]:
    return _holding(members, lambda stream: kinds.ticker(stream) == ticker)


def _named(members: Members, client_id: str) -> Iterator[Client]:
    return (client for client in members.clients if client.client_id == client_id)


def _holding(members: Members, is_meant: Callable[[str], bool]) -> Iterator[Client]:
    for stream, held in members.held.items():
        if is_meant(stream):
            for place in held.places():
                yield from place


TARGETS: dict[str, Callable[[Members, str], Iterable[Client]]] = {
    TYPE: _of_type, SYMBOL: _of_symbol, CLIENT: _named,
}  # fmt: skip
COMMANDS: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
    "clients": clients, "deliver": deliver, "others": others, "holders": holders, "close": close,
}  # fmt: skip
