"""What rang is read in one's own language: on the page, in the admin, on the stream by its kind and values."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.utils import translation

from realtime import alerts, messages
from realtime.models import Alert, AlertRule

pytestmark = [pytest.mark.django_db, pytest.mark.db]
KOREAN = "AAPL 가격이 500.00 위로 올랐습니다. 현재 501.25입니다."


@pytest.fixture
def rang(apple, quote) -> Alert:
    AlertRule.objects.create(symbol=apple, kind="price_above", level=500)
    [alert] = alerts.check({"AAPL": quote("AAPL", 499)}, [quote("AAPL", 501.25)])
    return alert


@pytest.mark.parametrize(("language", "says"), [("ko", KOREAN), ("en", "AAPL rose above 500.00: it is at 501.25")])
def test_the_page_and_the_admin_word_it_in_the_readers_language(client, rang, language, says):
    client.force_login(get_user_model().objects.create_superuser("staff"))
    for path in ("/", "/admin/realtime/alert/"):
        assert says in client.get(path, headers={"Accept-Language": language}).content.decode(), path


def test_its_message_is_english_in_whichever_language_it_rang_and_its_values_are_told(apple, quote):
    AlertRule.objects.create(symbol=apple, kind="price_above", level=500)
    with translation.override("ko"):
        [alert] = alerts.check({"AAPL": quote("AAPL", 499)}, [quote("AAPL", 501.25)])
    told = json.loads(messages.alert(alert).body)
    assert told["message"] == "AAPL rose above 500.00: it is at 501.25"
    assert told["values"] == {"level": 500, "price": 501.25, "decimals": apple.price_decimals}


def test_a_fall_is_worded_with_its_close(apple, quote):
    alerts.prepare()
    [alert] = alerts.check({"AAPL": None}, [quote("AAPL", 470, previous_close=500)])
    with translation.override("ko"):
        assert alert.says == "AAPL 가격이 종가 500.00에서 6.0% 내려 470.00이 되었습니다."


def test_what_rang_before_there_were_values_keeps_its_text(rang):
    Alert.objects.update(values=None, message="AAPL is above 500")
    with translation.override("ko"):
        assert Alert.objects.get().says == "AAPL is above 500"
    assert "values" not in json.loads(messages.alert(Alert.objects.get()).body)
