"""`/ws/realtime`: reads what a client says, answers it, and hands the rest to the hub."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from asgiref.typing import WebSocketScope
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from market import prices, quotes, symbols
from realtime import messages, people, visitors
from realtime.buckets import Bucket
from realtime.clients import Client
from realtime.hub import Hub, Unreachable
from realtime.messages import CLOSE, Refused
from realtime.recovery import EVERY, LATEST
from realtime.rights import Rights
from realtime.streams import Position
from realtime.visitors import Busy

logger = logging.getLogger(__name__)

MAX_HELD = 4000  # streams of one client
hub = Hub()
rights = Rights(hub.unsubscribe)


class RealtimeConsumer(AsyncWebsocketConsumer):
    """One socket. It has no channel layer: layers drop in silence when they are full."""

    channel_layer_alias = "none"
    scope: WebSocketScope

    async def connect(self) -> None:
        if not visitors.is_allowed_origin(self.scope):
            await self.close(CLOSE["origin_not_allowed"])
            return
        await self.accept()
        self.client = Client(
            secrets.token_hex(8),
            self._send_text,
            self._close_with,
            (self.scope.get("extensions") or {}).get("finstage.raw"),
            visitors.session(self.scope),
        )
        self.requests = Bucket(per_second=10, burst=20)
        self.refusals = Bucket(per_second=0.5, burst=20)
        self.is_over = False
        hub.attach(self.client)
        self._say(messages.connected(self.client.client_id))
        hub.tell_status(self.client)

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "client"):
            hub.detach(self.client)
            rights.forget(self.client)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels' own, without its hop to the shared database thread, where one slow query stops every socket."""
        handler = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self._disconnected,
        }[message["type"]]
        await handler(message)

    async def _disconnected(self, message: dict[str, Any]) -> None:
        await self.disconnect(message.get("code", 1006))
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.is_over:
            return
        if not self.requests.take():
            await self._refuse(
                Refused("rate_limited", "Too many messages: 10 a second, 20 at once."), "too_many_requests"
            )
            return
        action: dict[str, Any] = {}
        try:
            action = messages.read(text_data)
            if action["action"] in messages.NOT_YET:
                raise Refused("not_available", f"{action['action']} is part of the protocol and not available yet.")
            await ACTIONS[action["action"]](self, action)
        except Refused as refused:
            refused.id = action.get("id", refused.id)
            await self._refuse(refused, "too_many_errors")
        except (Busy, *Unreachable) as error:
            logger.warning("%s: %s", action.get("action"), error)
            text = "The server can't reach its data right now; try again in a few seconds."
            await self._refuse(Refused("temporarily_unavailable", text, id=action.get("id")), None)

    # Actions

    async def subscribe(self, action: dict[str, Any]) -> None:
        asked, unknown = await self._streams(action["type"], action.get("symbols"))
        if len(self.client.held.keys() | set(asked)) > MAX_HELD:
            raise Refused("too_many_symbols", f"A connection may hold {MAX_HELD} streams; this would be more.")
        mode = action.get("mode", LATEST)
        since = await self._positions(action.get("since", {}), asked)
        await hub.subscribe(self.client, dict.fromkeys(asked, mode), since, id=action.get("id"))
        await self._name(unknown, action)

    async def unsubscribe(self, action: dict[str, Any]) -> None:
        types = messages.PUBLIC_TYPES if action["type"] == "all" else (action["type"],)
        held = [stream for stream in self.client.held if stream.partition(":")[0] in types]
        unknown = []
        if "*" not in (named := action.get("symbols", ["*"])):
            asked = list(dict.fromkeys(map(symbols.folded, named)))
            known = await visitors.named(asked)
            # By its ticker also what is tracked no longer.
            held = [stream for stream in held if stream.partition(":")[2] in {*asked, *known.values()}]
            ended = {stream.partition(":")[2] for stream in held}
            unknown = [text for text in asked if text not in known and text not in ended]
        hub.unsubscribe(self.client, held, messages.ASKED, id=action.get("id"))
        await self._name(unknown, action)

    async def get_current_prices(self, action: dict[str, Any]) -> None:
        await self._may_read()
        tickers, unknown = await self._known(action["symbols"])
        found = await visitors.run(quotes.latest, list(tickers.values()))
        told = {asked: found[ticker] for asked, ticker in tickers.items()}
        self._say(_with_id(messages.current_prices(told, datetime.now(UTC)), action))
        await self._name(unknown, action)

    async def configure(self, action: dict[str, Any]) -> None:
        self.client.batch = action.get("batch", self.client.batch)
        self._say(_with_id({"type": "configured", "batch": self.client.batch}, action))

    async def ping(self, action: dict[str, Any]) -> None:
        self._say(_with_id({"type": "pong", "timestamp": prices.instant(datetime.now(UTC))}, action))

    # What they stand on

    async def _streams(self, type: str, asked: list[str] | None) -> tuple[list[str], list[str]]:
        """The streams that a subscription names, and its unknown symbols. Raises Refused; nothing has changed then."""
        await self._may_read()
        if type in messages.TYPES_NOT_YET:
            raise Refused("not_available", f"{type} is part of the protocol and not available yet.")
        if type in messages.STAFF_TYPES:
            if not people.may_hold(await rights.identify(self.client), type):
                raise Refused("staff_only", f"{type} is for staff; log in with a staff account.")
            return [type], []
        types = tuple(
            kind for kind in messages.PUBLIC_TYPES if type in ("all", kind) and kind not in messages.TYPES_NOT_YET
        )
        if asked is None and type in ("prices", "bars", "indicators"):
            raise Refused("invalid", f'Say which symbols: {{"type": "{type}", "symbols": ["AAPL"]}}, or ["*"] for all.')
        named = [kind for kind in types if kind not in messages.UNNAMED_TYPES]
        tickers, unknown = await self._known(asked or ["*"]) if named else ({}, [])
        found = [f"{kind}:{ticker}" for kind in named for ticker in dict.fromkeys(tickers.values())]
        if "alerts" in types and await rights.identify(self.client) is not None:
            found.append(people.alerts_of(self.client.person))
        return found + [kind for kind in types if kind in messages.UNNAMED_TYPES], unknown

    async def _may_read(self) -> None:
        if settings.MARKET_DATA_OPEN or self.client.person is not None:  # who is somebody is looked at all the time
            return
        if await rights.identify(self.client) is None:
            raise Refused("login_required", "Market data needs a login here; log in and connect again.")

    async def _known(self, named: list[str]) -> tuple[dict[str, str], list[str]]:
        """Today's ticker of each tracked symbol by what it was called, in order, `*` is all; and those not tracked.

        Raises Refused where none is.
        """
        if "*" in named:
            return {ticker: ticker for ticker in await visitors.tracked()}, []
        asked = list(dict.fromkeys(map(symbols.folded, named)))
        tickers = await visitors.named(asked)
        unknown = [text for text in asked if text not in tickers]
        if not tickers:
            raise _unknown(unknown)
        return tickers, unknown

    async def _positions(self, since: dict[str, dict], asked: list[str]) -> dict[str, Position]:
        """The positions of what is asked; a stream may bear a name that its symbol had before."""
        person, known = self.client.person, set(asked)
        mine = None if person is None else people.alerts_of(person)
        named = {mine if name == "alerts:@me" else name: place for name, place in since.items()}
        others = [name.partition(":") for name in named.keys() - known if name]
        tickers = await visitors.named([symbol for _, _, symbol in others]) if others else {}
        today = {f"{kind}:{symbol}": f"{kind}:{tickers[symbol]}" for kind, _, symbol in others if symbol in tickers}
        for name, new in today.items():
            self.client.say(messages.renamed(name, new))
        named = {new: named[name] for name, new in today.items()} | named
        return {name: Position(place["epoch"], place["seq"]) for name, place in named.items() if name in known}

    # How it answers

    def _say(self, message: dict[str, Any]) -> None:
        self.client.say(message)
        hub.answer(self.client)

    async def _name(self, unknown: list[str], action: dict[str, Any]) -> None:
        """Say which symbols an action that was answered was not answered for."""
        if unknown:
            refused = _unknown(unknown)
            refused.id = action.get("id")
            await self._refuse(refused, "too_many_errors")

    async def _refuse(self, refused: Refused, closing: str | None) -> None:
        more = {} if refused.id is None else {"id": refused.id}
        if refused.symbols:
            more["symbols"] = refused.symbols[:100]
        self._say(messages.error(refused.code, str(refused), **more))
        if closing and not self.refusals.take():
            self.is_over = True
            await self._close_with(CLOSE[closing])

    async def _send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def _close_with(self, code: int) -> None:
        await self.close(code)


def _unknown(symbols: list[str]) -> Refused:
    names = ", ".join(symbols[:5])
    return Refused("unknown_symbol", f"Not tracked here: {names}. GET /api/v2/symbols/ lists what is.", symbols=symbols)


def _with_id(message: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    return {**message, "id": action["id"]} if action.get("id") is not None else message


ACTIONS: dict[str, Callable[[RealtimeConsumer, dict[str, Any]], Awaitable[None]]] = {
    "subscribe": RealtimeConsumer.subscribe,
    "unsubscribe": RealtimeConsumer.unsubscribe,
    "get_current_prices": RealtimeConsumer.get_current_prices,
    "configure": RealtimeConsumer.configure,
    "ping": RealtimeConsumer.ping,
}
assert ACTIONS.keys() | messages.NOT_YET == messages.ACTIONS.keys()
assert {LATEST, EVERY} == set(messages.ACTIONS["subscribe"]["properties"]["mode"]["enum"])
