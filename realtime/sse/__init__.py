"""The streams as server-sent events, for places that eat sockets: the same hub, messages, bounds and rights."""

from realtime.sse.events import Events

__all__ = ["Events"]
