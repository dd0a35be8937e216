"""The live loop, in two lanes: a price is told at once, and what needs rows follows it in order.

playing         a feed: one at a time by a lease, and its lanes
prices          the price lane: kept in Redis, numbered and published; asks no database
beside          prices of before and after sessions, which stand beside a close and have no rows
waiting         what was taken and has its rows to come, in order per symbol
awaited         whose rows somebody waits for, while all else may wait for a moment
opened          which streams are told, of those that are told only while somebody holds them
conflation      which prices of a symbol must be seen, where many wait (pure)
left            the same in Redis: what a feed that died has left to the next one
rows            the row lane: sessions, bars, indicators, alerts and snapshots
following       runs it beside the prices of a live source
bars            the bars of quotes, and the indicators that move by them
within          the same of minutes and hours, by the exchanges' calendars
carrying        the indicators on those, of which somebody holds the streams
facts           what both lanes know of the rows: symbols, their names, the closes that changes count from
looking         reads the facts aside, so that no price waits for the database
epochs          where played time begins anew
publishing      to streams, whose symbol may have another ticker by now
insisting       what a feed stands on may be away: it tries again for as long as the lease is its own
"""

from realtime.feed.insisting import Stopped
from realtime.feed.playing import Feed, run

__all__ = ["Feed", "Stopped", "run"]
