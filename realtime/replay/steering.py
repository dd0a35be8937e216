"""What a client may say to a replay of its own."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, Protocol, TypeVar

from asgiref.typing import WebSocketScope
from django.conf import settings

from market import player, sources
from market.bars import NoBars, forming
from market.intervals import Interval
from market.player import Backwards, Reading
from realtime import alerts, asked, naming, process, visitors
from realtime.clients import Client
from realtime.messages import Refused
from realtime.replay import events, signals
from realtime.replay.events import Event
from realtime.replay.playing import Playing, number_of

Found = TypeVar("Found")
USUAL_SPEED = 60
LOOKED_AT_ONCE = 200  # sessions that are played to be sure


class Socket(Protocol):
    scope: WebSocketScope
    client: Client

    def say(self, message: dict[str, Any]) -> None: ...
    async def refuse(self, refused: Refused, closing: str | None) -> None: ...


async def replay(socket: Socket, action: dict[str, Any]) -> None:
    """Play past sessions to this client alone, in place of the replay that it has."""
    client = socket.client
    user_id = await _user_id(socket)
    who = ("address", visitors.address(socket.scope)) if user_id is None else ("user", user_id)
    process.replays.check_room(client, who)
    start, end = _day(action, "start"), _day(action, "end")
    tickers, unknown = await asked.known(action["symbols"])
    extra = naming.extra(action.get("indicators", ()), len(tickers))
    within = [each for each in forming.INTERVALS if each.name in action.get("intervals", ())]
    at = _day(action, "at") if "at" in action else None
    reading = await visitors.run(_read, list(dict.fromkeys(tickers.values())), start, end)
    rules = await visitors.run(alerts.rules_for, user_id)
    seen = await visitors.run(signals.of, reading.sessions)
    if client not in process.hub.members.clients:  # it has gone meanwhile
        return
    speed = action.get("speed", USUAL_SPEED)
    begun = process.replays.begin(
        client,
        who,
        reading.sessions,
        speed,
        rules=rules,
        extra=extra,
        within=within,
        signals=seen,
        at=at,
        is_paused=action.get("paused", False),
        may_play=partial(_may_play, client, user_id),
    )
    for refused in _left_out(unknown, reading, within):
        refused.id = action.get("id")
        await socket.refuse(refused, "too_many_errors")
    _answer(socket, begun, action)


async def pause(socket: Socket, action: dict[str, Any]) -> None:
    playing = process.replays.of(socket.client)
    playing.pause()
    _answer(socket, playing, action)


async def resume(socket: Socket, action: dict[str, Any]) -> None:
    playing = process.replays.of(socket.client)
    playing.resume(action.get("speed"))
    _answer(socket, playing, action)


async def seek(socket: Socket, action: dict[str, Any]) -> None:
    """To a day, or to the next of its events. Raises Refused."""
    playing = process.replays.of(socket.client)
    if ("to" in action) == ("event" in action):
        raise Refused("invalid", "seek says where to go: either to, a day, or event, what happens there.")
    if "to" in action:
        playing.seek(number_of(playing.sessions, _day(action, "to"), "seek.to"))
        _answer(socket, playing, action)
        return
    found = await _following(socket.client, playing, action["event"])
    if found is None:
        raise Refused("no_event", f"Up to {playing.sessions.end} there is no {action['event']} any more.")
    playing.seek(found.number)
    socket.say(playing.stands(action.get("id")) | {"event": {"kind": found.kind, "symbol": found.ticker}})


async def stop(socket: Socket, action: dict[str, Any]) -> None:
    playing = process.replays.of(socket.client)
    playing.stop()
    process.replays.leave(socket.client)
    _answer(socket, playing, action)


async def _following(client: Client, playing: Playing, kind: str) -> Event | None:
    """The first after its session, looked for a few sessions at a time: a long search keeps no thread from others, and
    ends with its replay. Raises Refused.
    """
    sessions, rules = playing.sessions, playing.rules
    numbers = await _while_it_plays(client, playing, events.candidates, sessions, playing.number + 1, kind, rules)
    for start in range(0, len(numbers), LOOKED_AT_ONCE):
        some = numbers[start : start + LOOKED_AT_ONCE]
        if found := await _while_it_plays(client, playing, events.first, sessions, some, kind, rules):
            return found
    return None


async def _while_it_plays(client: Client, playing: Playing, work: Callable[..., Found], *args: object) -> Found:
    """What some work gives. Raises Refused where another has its replay's place meanwhile."""
    found = await visitors.run(work, *args)
    if process.replays.of(client) is not playing:
        raise Refused("no_replay", "The replay has ended while its events were looked for.")
    return found


def _answer(socket: Socket, playing: Playing, action: dict[str, Any]) -> None:
    socket.say(playing.stands(action.get("id")))


async def _user_id(socket: Socket) -> int | None:
    """Who somebody is; None where nobody says so. Raises Refused."""
    await asked.require_reading(socket.client, process.rights)
    person = await process.rights.identify(socket.client)
    if person is not None:
        return person.user_id
    if not settings.REPLAYS_FOR_GUESTS:
        raise Refused("login_required", "A replay needs a login here; log in and connect again.")
    return None


def _may_play(client: Client, user_id: int | None) -> bool:
    """Whether its client still may: one that hears what somebody's own rules would ring as long as it is them."""
    if user_id is not None:
        return client.person is not None and client.person.user_id == user_id
    return settings.MARKET_DATA_OPEN and settings.REPLAYS_FOR_GUESTS


def _read(tickers: list[str], start: date, end: date) -> Reading:
    """Raises Refused."""
    try:
        reading = player.read(tickers, start, end, has_hours=sources.has_hours())
    except (Backwards, NoBars) as error:
        text = str(error)
        raise Refused(error.code, f"{text[0].upper()}{text[1:]}.") from error
    if reading.bytes > player.MOST_BYTES:
        most = player.MOST_BYTES >> 20
        told = f"The bars of these {len(tickers)} symbols take {reading.bytes >> 20} MiB, {most} at most"
        raise Refused("too_many_symbols", f"{told}: replay fewer at once.")
    return reading


def _left_out(unknown: list[str], reading: Reading, within: list[Interval]) -> list[Refused]:
    """What is said of the symbols that it plays without, and of those that it has days alone of."""
    found = [asked.refusal(unknown)] if unknown else []
    if reading.lacking:
        told = f"No daily bars in the range: {player.worded(reading.lacking)}."
        found.append(Refused("no_bars", told, symbols=list(reading.lacking)))
    days = [held.ticker for held in reading.sessions.held if not held.has_within]
    if within and days:
        told = "Nothing within sessions of the range is held of these symbols, which are told by their days alone."
        found.append(Refused("no_bars", told, symbols=days))
    if len(reading.sessions.held) > signals.MOST:
        told = f"Signals are played of {signals.MOST} symbols at most; none is told of these."
        found.append(Refused("too_many_symbols", told))
    return found


def _day(action: dict[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(action[name])
    except ValueError:
        raise Refused("invalid", f"{action['action']}.{name} is {action[name]!r}, and no day.") from None
