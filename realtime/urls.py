"""Paths of the stream over HTTP."""

from monitoring.paths import path
from realtime import api

urlpatterns = [
    path("api/v2/realtime/schema", api.Protocol.as_view()),
]
