"""What a socket does when its client says something: each action is a function and an entry of one table."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from asgiref.typing import WebSocketScope

from market import prices, quotes, symbols
from realtime import asked, kinds, messages, naming, process, told, visitors
from realtime.asked import Meant
from realtime.clients import Client
from realtime.frames import Encoded
from realtime.messages import Refused
from realtime.places import EVERY, LATEST
from realtime.replay import steering
from realtime.starting.asking import Answer


class Socket(Protocol):
    """Whose action it is. terms: what it has configured."""

    scope: WebSocketScope
    client: Client
    terms: dict[str, Any]

    def say(self, message: dict[str, Any]) -> None: ...
    async def refuse(self, refused: Refused, closing: str | None) -> None:
        """Say no; one no too many closes for the reason `closing`."""

    async def close_with(self, code: int) -> None: ...


async def carry_out(socket: Socket, action: dict[str, Any]) -> None:
    """Do it and answer. Raises Refused, visitors.Busy and what the hub raises where its store is away."""
    await ACTIONS[action["action"]](socket, action)


async def subscribe(socket: Socket, action: dict[str, Any]) -> None:
    meant = await asked.streams(socket.client, process.rights, action)
    asked.check_room(socket.client, meant.streams)
    await process.hub.want(meant.streams)
    started = await _started(socket, meant, action)
    mode, starting = action.get("mode", LATEST), list(started.started)
    since = await asked.positions(socket.client, action.get("since", {}), meant.streams)
    held = dict.fromkeys(meant.streams, mode)
    await process.hub.subscribe(socket.client, held, since, id=action.get("id"), starting=starting)
    process.starting.wait(socket.client, action, started)
    socket.client.asked.add(action["type"])


async def unsubscribe(socket: Socket, action: dict[str, Any]) -> None:
    naming.check(action)
    tickers, texts, unknown = None, [], []
    if "*" not in (named := action.get("symbols", ["*"])):
        texts = list(dict.fromkeys(map(symbols.folded, named)))
        known = await visitors.named(texts)
        tickers = {*texts, *known.values()}  # by its ticker also what is tracked no longer
        unknown = [text for text in texts if text not in known]
    ended = naming.narrowed(socket.client.held, tickers, action)
    gone = {kinds.address(stream).ticker for stream in ended} | process.starting.forget(socket.client, action)
    unknown = [text for text in unknown if text not in gone]
    if unknown and len(unknown) == len(texts):
        raise asked.refusal(unknown)
    await _name(socket, unknown, action)
    process.hub.unsubscribe(socket.client, ended, messages.ASKED, id=action.get("id"))


async def get_history(socket: Socket, action: dict[str, Any]) -> None:
    await asked.require_reading(socket.client, process.rights)
    if action["symbol"] == "*":
        raise Refused("invalid", 'A history is of one symbol, and "*" is all of them.')
    [ticker] = (await asked.known([action["symbol"]]))[0].values()
    found = await visitors.run(told.prices, ticker, action.get("limit", told.USUAL))
    await process.hub.has_room(socket.client)
    socket.client.add(Encoded(messages.history(ticker, found, action.get("id"))))
    process.hub.answer(socket.client)


async def get_current_prices(socket: Socket, action: dict[str, Any]) -> None:
    await asked.require_reading(socket.client, process.rights)
    tickers, unknown = await asked.known(action["symbols"])
    found = await visitors.run(quotes.latest, list(tickers.values()))
    newest = {text: found[ticker] for text, ticker in tickers.items()}
    await _name(socket, unknown, action)
    socket.say(_with_id(messages.current_prices(newest, datetime.now(UTC)), action))


async def authenticate(socket: Socket, action: dict[str, Any]) -> None:
    """From now on it is whom a ticket or an API key stands for, and holds what they may."""
    shown = await visitors.shown(socket.scope, action["token"])
    person = None if shown is None else await process.rights.admit(socket.client, shown)
    if person is not None:
        socket.say(_with_id({"type": "authenticated", "user": person.name}, action))
        return
    text = "It is no ticket or API key that lets you in: wrong, used, over, or without the scope read."
    raise Refused("invalid_token", text)


async def configure(socket: Socket, action: dict[str, Any]) -> None:
    socket.terms |= {name: action[name] for name in socket.terms if name in action}
    process.hub.configure(socket.client, **socket.terms)
    socket.say(_with_id({"type": "configured", **socket.terms}, action))


async def ping(socket: Socket, action: dict[str, Any]) -> None:
    socket.say(_with_id({"type": "pong", "timestamp": prices.instant(datetime.now(UTC))}, action))


async def _started(socket: Socket, meant: Meant, action: dict[str, Any]) -> Answer:
    """Start what nobody collects yet, as far as the client may; the rest is named.

    Raises Refused where nothing is left.
    """
    if not meant.unknown:
        return Answer()
    answer = await process.starting.ask(socket.client, meant.unknown)
    refused = asked.refusal(answer.refused, answer.why, answer.near) if answer.refused else None
    if refused and meant.is_none and not answer.started:
        raise refused
    if refused:
        refused.id = action.get("id")
        await socket.refuse(refused, "too_many_errors")
    return answer


async def _name(socket: Socket, unknown: list[str], action: dict[str, Any]) -> None:
    """Say which symbols an action that was answered was not answered for."""
    if unknown:
        refused = asked.refusal(unknown)
        refused.id = action.get("id")
        await socket.refuse(refused, "too_many_errors")


def _with_id(message: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    return {**message, "id": action["id"]} if action.get("id") is not None else message


ACTIONS: dict[str, Callable[[Socket, dict[str, Any]], Awaitable[None]]] = {
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
    "get_current_prices": get_current_prices,
    "get_history": get_history,
    "authenticate": authenticate,
    "configure": configure,
    "ping": ping,
    "replay": steering.replay,
    "pause": steering.pause,
    "resume": steering.resume,
    "seek": steering.seek,
    "stop": steering.stop,
}
assert ACTIONS.keys() == messages.ACTIONS.keys()
assert {LATEST, EVERY} == set(messages.ACTIONS["subscribe"]["properties"]["mode"]["enum"])
