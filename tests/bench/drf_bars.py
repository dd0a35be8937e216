"""The rival of our bars over HTTP: the same rows as Django's documentation and DRF's would serve them, by daphne.

`python -m tests.bench.drf_bars --port PORT`, on the database of DATABASE_URL. Its middleware is `startproject`'s.
"""

import os
import sys

import django
import environ
from daphne.cli import CommandLineInterface
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

_DJANGO = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages"]
settings.configure(
    SECRET_KEY="of-a-rival-in-a-bench",
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": environ.Env.db_url_config(os.environ["DATABASE_URL"])},
    INSTALLED_APPS=[*_DJANGO, "rest_framework"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    TIME_ZONE="UTC",
)
django.setup()

from django.db import models  # noqa: E402 - Django is set up first
from rest_framework import generics, pagination, serializers  # noqa: E402


class Symbol(models.Model):
    ticker = models.CharField(max_length=32, unique=True)

    class Meta:
        app_label, db_table, managed = "rival", "market_symbol", False


class Bar(models.Model):
    pk = models.CompositePrimaryKey("symbol_id", "interval", "opened_at")
    symbol = models.ForeignKey(Symbol, on_delete=models.CASCADE)
    interval = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    session_date = models.DateField(null=True)
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.BigIntegerField(null=True)
    is_final = models.BooleanField()
    revision = models.PositiveIntegerField()
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, null=True)

    class Meta:
        app_label, db_table, managed = "rival", "market_bar", False


class BarSerializer(serializers.ModelSerializer):
    symbol = serializers.SlugRelatedField("ticker", read_only=True)

    class Meta:
        model = Bar
        fields = (
            "symbol", "interval", "opened_at", "session_date", "open", "high", "low", "close", "volume", "state",
            "is_final", "revision", "source", "received_at",
        )  # fmt: skip


class Newest(pagination.CursorPagination):
    ordering, page_size_query_param, max_page_size = "-opened_at", "limit", 10_000


class Bars(generics.ListAPIView):
    serializer_class, pagination_class = BarSerializer, Newest

    def get_queryset(self):
        return Bar.objects.filter(symbol__ticker=self.kwargs["ticker"], interval="1d").select_related("symbol")


urlpatterns = [path("bars/<ticker>/", Bars.as_view())]
application = get_asgi_application()

if __name__ == "__main__":
    sys.modules["tests.bench.drf_bars"] = sys.modules[__name__]  # daphne imports it by its name
    CommandLineInterface().run([*sys.argv[1:], "--bind", "127.0.0.1", "tests.bench.drf_bars:application"])
