"""What all sockets and readers of a web process share."""

from realtime.crowd import Crowd
from realtime.hub import Hub
from realtime.replay.seats import Replays
from realtime.rights import Rights
from realtime.starting import Starting

hub = Hub()
replays = Replays(hub.answer)
crowd = Crowd()
rights = Rights(hub.unsubscribe, crowd)
starting = Starting(hub, rights)
