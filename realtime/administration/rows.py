"""The clients of a process as rows, a page at a time: the oldest first."""

import heapq
import time
from collections.abc import Iterable
from typing import Any

from realtime import kinds
from realtime.administration.measuring import is_behind
from realtime.breath import Breath
from realtime.clients import Client

NAMES = 100  # of streams and of symbols in a row; beside them stands how many there are
PAGE_NAMES = 20_000  # in all rows of a page: it ends where there are more

Place = tuple[float, str]  # when a client came, and its id: no two are the same


async def page(clients: Iterable[Client], after: Place, limit: int, *, slow: bool) -> dict[str, Any]:
    """`rows` behind a place, and whether there are `more` of them; `count` is how many there are anywhere."""
    wanted = [client for client in clients if not slow or is_behind(client)]
    behind = heapq.nsmallest(limit + 1, (client for client in wanted if place(client) > after), key=place)
    rows: list[dict[str, Any]] = []
    names, breath = 0, Breath()
    for client in behind[:limit]:
        rows.append(row(client))
        names += len(rows[-1]["streams"])
        if names > PAGE_NAMES:
            break
        await breath.taken()
    return {"rows": rows, "more": len(rows) < len(behind), "count": len(wanted)}


def row(client: Client) -> dict[str, Any]:
    held = client.held
    symbols = sorted(set(filter(None, map(kinds.ticker, held))))
    return {
        "client_id": client.client_id,
        "connected_at": client.connected_at,
        "connection_duration_seconds": max(0, int(time.time() - client.connected_at)),
        "message_count": client.message_count,
        "subscriptions": symbols[:NAMES],
        "subscription_count": len(symbols),
        "streams": sorted(map(kinds.public, held))[:NAMES],
        "stream_count": len(held),
        "types": sorted(client.asked),
        "is_active": client.is_active,
        "is_slow": is_behind(client),
        "behind_seconds": round(client.behind_seconds, 1),
        "waiting_messages": len(client.outbox.waiting),
        "user_id": client.person.user_id if client.person else None,
    }


def place(client: Client) -> Place:
    return client.connected_at, client.client_id


def merged(pages: list[dict[str, Any]], limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The rows of several processes in one order, and whether there are more behind them.

    Behind the end of a page that has more nobody knows what comes, so the rows of the others end there too.
    """
    ends = [_place(each["rows"][-1]) for each in pages if each["more"] and each["rows"]]
    rows = sorted((row for each in pages for row in each["rows"]), key=_place)
    known = [row for row in rows if not ends or _place(row) <= min(ends)]
    return known[:limit], bool(ends) or len(known) > limit


def _place(row: dict[str, Any]) -> Place:
    return row["connected_at"], row["client_id"]
