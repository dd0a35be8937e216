"""The rival of our indicators over HTTP: the same rows read by the ORM, computed anew by pandas, told by DRF on daphne.

`python -m tests.bench.drf_indicators --port PORT`, on the database of DATABASE_URL.
"""

import sys

import pandas as pd
from daphne.cli import CommandLineInterface
from django.urls import path

from tests.bench import drf_bars, scripted

from rest_framework.response import Response  # isort: skip - Django is set up first
from rest_framework.views import APIView  # isort: skip

YEAR = 252


class Indicators(APIView):
    """Of the whole history, and of that the last year."""

    def get(self, request, ticker: str) -> Response:
        rows = drf_bars.Bar.objects.filter(symbol__ticker=ticker, interval="1d").order_by("opened_at")
        frame = pd.DataFrame(list(rows.values("opened_at", "open", "high", "low", "close", "volume")))
        found = [each.tail(YEAR) for each in scripted.outputs(frame)]
        told = {str(number): [None if pd.isna(value) else value for value in each] for number, each in enumerate(found)}
        return Response({"symbol": ticker, "times": list(frame["opened_at"].tail(YEAR)), "indicators": told})


drf_bars.urlpatterns.append(path("indicators/<ticker>/", Indicators.as_view()))

if __name__ == "__main__":
    CommandLineInterface().run([*sys.argv[1:], "--bind", "127.0.0.1", "tests.bench.drf_bars:application"])
