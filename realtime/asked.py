"""What a client's subscription means: which streams, whether it may hold them, and from where on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from market import symbols
from monitoring.api.refusals import staffs_own
from realtime import kinds, messages, naming, people, visitors
from realtime.clients import Client
from realtime.messages import Refused
from realtime.rights import Rights
from realtime.streams import Position

MAX_HELD = 5000  # streams of one client: those of each type of a thousand symbols
NAMED = 5  # symbols in a sentence


@dataclass(frozen=True, slots=True)
class Meant:
    """The streams that a subscription names, and those of its symbols that nobody collects; is_none: so are all."""

    streams: list[str]
    unknown: list[str] = field(default_factory=list)
    is_none: bool = False


async def streams(client: Client, rights: Rights, action: dict[str, Any]) -> Meant:
    """What a subscription means. Raises Refused; nothing has changed then."""
    await require_reading(client, rights)
    naming.check(action)
    type, asked = action["type"], action.get("symbols")
    found = naming.meant(type)
    if any(kind.for_staff for kind in found):
        person = await rights.identify(client)
        if not people.may_hold(person, type):
            raise Refused("staff_only", f"{type} is for staff: {staffs_own(person and person.scopes)}")
    if asked is None and naming.needs_symbols(type):
        raise Refused("invalid", f'Say which symbols: {{"type": "{type}", "symbols": ["AAPL"]}}, or ["*"] for all.')
    by_symbol = [kind for kind in found if kind.by_symbol]
    tickers, unknown = await named(asked or ["*"]) if by_symbol else ({}, [])
    each = list(dict.fromkeys(tickers.values()))
    names = [name for kind in by_symbol for name in naming.by_symbol(kind, each, action)]
    if asked is None or "*" in asked:
        names += [kind.of_market for kind in by_symbol if kind.has_market]
    if any(kind.by_user for kind in found):
        person = await rights.identify(client)
        names += [own for kind in found for own in people.own(person, kind)]
    names += [kind.name for kind in found if not kind.by_symbol]
    return Meant(names, unknown, is_none=bool(unknown) and not tickers)


def check_room(client: Client, names: list[str], most: int = MAX_HELD) -> None:
    """Raises Refused where a client would hold too much."""
    would = client.places.keys() | set(names)
    if len(would) > most:
        raise Refused("too_many_symbols", f"A connection may hold {most} streams; this would be more.")
    if sum(map(kinds.is_extra, would)) > naming.MAX_EXTRA:
        at_most = f"A connection may hold {naming.MAX_EXTRA} indicators beyond those that everybody gets"
        raise Refused("too_many_indicators", f"{at_most}; this would be more.")


async def require_reading(client: Client, rights: Rights) -> None:
    """Raises Refused for nobody, where reading needs a login."""
    if settings.MARKET_DATA_OPEN or client.person is not None:  # who is somebody is looked at all the time
        return
    if await rights.identify(client) is None:
        raise Refused("login_required", "Market data needs a login here; log in and connect again.")


async def known(texts: list[str]) -> tuple[dict[str, str], list[str]]:
    """As `named`; raises Refused where none of them is tracked."""
    tickers, unknown = await named(texts)
    if not tickers:
        raise refusal(unknown)
    return tickers, unknown


async def named(texts: list[str]) -> tuple[dict[str, str], list[str]]:
    """Today's ticker of each tracked symbol by what it was called, in order, `*` is all; and those not tracked."""
    if "*" in texts:
        return {ticker: ticker for ticker in await visitors.tracked()}, []
    folded = list(dict.fromkeys(map(symbols.folded, texts)))
    tickers = await visitors.named(folded)
    return tickers, [text for text in folded if text not in tickers]


async def positions(client: Client, since: dict[str, dict], names: list[str]) -> dict[str, Position]:
    """The positions of what is asked; a stream may bear a name that its symbol had before."""
    asked, person = set(names), client.person
    mine = {kind.own: own for kind in kinds.PUBLIC for own in people.own(person, kind)}
    named = {mine.get(name, name): place for name, place in since.items()}
    others = {name: kinds.address(name) for name in named.keys() - asked if kinds.is_by_symbol(name)}
    tickers = await visitors.named([address.ticker for address in others.values()]) if others else {}
    now = {
        name: kinds.of(name).of(tickers[ticker], *rest) for name, (ticker, *rest) in others.items() if ticker in tickers
    }
    today = {name: new for name, new in now.items() if new in asked}  # the rest nobody asks for now
    for name, new in today.items():
        client.say(messages.renamed(name, new))
    named = {new: named[name] for name, new in today.items()} | named
    return {name: Position(place["epoch"], place["seq"]) for name, place in named.items() if name in asked}


def refusal(unknown: list[str], why: str = "", near: Mapping[str, list[str]] | None = None) -> Refused:
    """What is said of symbols that are not tracked. why: what else, and what to do; near: what may have been meant."""
    names, more = ", ".join(unknown[:NAMED]), len(unknown) - NAMED
    names += f" and {more} more" if more > 0 else ""
    meant = list(dict.fromkeys(ticker for each in (near or {}).values() for ticker in each))
    said = [f"Not tracked here: {names}.", f"Did you mean {' or '.join(meant)}?" if meant else "", why]
    text = " ".join([*filter(None, said), "GET /api/v2/symbols/ lists what is."])
    return Refused("unknown_symbol", text, symbols=unknown)
