"""What the doctor says of what came in."""

from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from django.test import override_settings

from finstage import diagnosis
from market import sources
from market.models import DataSource
from monitoring import redis as ours
from monitoring import refusals
from tests.market.yahoo_charts import made_chart
from tests.market.yahoo_wire import Wire


def test_doctor_names_what_was_refused_and_the_last_of_it():
    assert diagnosis.refused() == "nothing"
    refusals.note("quotes", "AAPL", "a volume of 1e19")
    refusals.note("bars", "IBM", "it lies in the future", times=2)
    told = diagnosis.refused()
    assert told.startswith("2 bars, 1 quotes; last IBM at 20")
    assert told.endswith("it lies in the future")


@pytest.fixture
def yahoo(db, settings) -> sources.About:
    settings.SOURCE = "yahoo"
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=datetime.now(UTC))
    return sources.about("yahoo")


def test_doctor_says_that_the_source_is_not_asked_why_and_until_when(yahoo):
    yahoo.pace().failed("rate_limited", "Yahoo: too many requests")
    with pytest.raises(diagnosis.Broken, match=r"yahoo is not asked until .* UTC: Yahoo: too many requests") as broken:
        diagnosis.source()
    assert "by itself" in broken.value.fix


def test_doctor_says_that_the_source_is_asked_more_slowly(yahoo, settings):
    settings.YAHOO_RATE = 2
    ours.client().hset(ours.key("pace", "yahoo", "health"), "share", 0.5)
    with Wire() as wire, override_settings(**wire.settings):
        wire.charts["AAPL"] = made_chart("AAPL")
        told = diagnosis.source()
    assert told.endswith("; asked at 1 of 2 requests a second, as it limits us or answers slowly")


def test_doctor_warns_of_networks_that_strangers_could_reach_through_us(settings):
    assert diagnosis.sending() == "to public addresses alone"
    settings.DELIVERY_ALLOWED_NETWORKS = [ip_network("10.0.0.0/8")]
    assert diagnosis.sending().startswith("warning: also to 10.0.0.0/8")
