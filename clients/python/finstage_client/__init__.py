"""The streams of a Finstage server: they go on by themselves after every break, and say so when something is lost.

    for message in Stream("http://127.0.0.1:8000", "prices", ["AAPL"]):
        print(message)

`AsyncStream` is the same for asyncio. A `gap` is a message like any other: what can't be had again of a stream. An
`error` is one too, such as an unknown symbol among others; where nothing is left to hear, `Refused` ends it.
"""

from .session import Ended, Refused
from .streams import AsyncStream, Stream

__all__ = ["AsyncStream", "Ended", "Refused", "Stream"]
