"""Paths of the stream over HTTP."""

from monitoring.paths import path
from realtime import views
from realtime.api import broadcast, events, monitor, protocol, sockets, streaming

urlpatterns = [
    path("api/v2/events/", events.Events.as_view()),
    path("api/v2/realtime/schema", protocol.Protocol.as_view()),
    path("api/v2/technical-analysis/prices/monitor", monitor.Monitor.as_view()),
    path("ws/status", sockets.Status.as_view()),
    path("ws/clients", sockets.Clients.as_view()),
    path("ws/clients/<str:client_id>/close", sockets.Close.as_view()),
    path("ws/demo", views.demo, name="demo"),
    path("ws/broadcast", broadcast.Broadcast.as_view()),
    path("ws/streaming/start", streaming.Start.as_view()),
    path("ws/streaming/stop", streaming.Stop.as_view()),
]
