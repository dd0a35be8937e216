"""The pages as the server gives them."""

import re
from datetime import UTC, date, datetime

import pytest
from django.conf import settings
from django.test import Client

from market import bars, quotes
from market.models import DataSource, Symbol
from market.prices import Bar, midnight
from realtime.messages import CLOSE
from realtime.models import Alert
from realtime.templatetags import market

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded() -> DataSource:
    return DataSource.objects.create(pk=1, name="replay", reason="asked for", chosen_at=datetime.now(UTC))


def rang(symbol, **fields) -> Alert:
    at = datetime(2012, 9, 4, tzinfo=UTC)
    values = {
        "kind": "plunge",
        "severity": "critical",
        "message": "It fell.",
        "price": 1.0,
        "dedupe_key": "1",
        "epoch": 1,
    }
    when = {"session_date": date(2012, 9, 4), "as_of": at, "as_of_precision": "day", "received_at": at}
    return Alert.objects.create(symbol=symbol, source="replay", **when, **{**values, **fields})


def test_no_script_cuts_a_date_from_an_instant():
    """A session has its exchange's own date, which its prices say; that of UTC may be another day's."""
    scripts = sorted((settings.BASE_DIR / "static").rglob("*.js"))
    assert len(scripts) > 40
    lines = [(path.name, line) for path in scripts for line in path.read_text().splitlines()]
    cut = re.compile(r"slice\(0, ?10\)|split\(.T.\)")
    assert not [f"{name}: {line}" for name, line in lines if cut.search(line) and ".toISOString()" not in line]


def test_the_watchlist_is_full_before_any_script_runs(client, apple, quote, recorded):
    quotes.keep([quote(apple, 665.76, previous_close=660.0)])
    text = client.get("/").content.decode()
    assert "665.76" in text
    assert "+5.76" in text
    assert "Recorded sessions." in text


def test_the_watchlist_of_yahoo_has_no_banner(client, apple, recorded):
    DataSource.objects.update(name="yahoo")
    text = client.get("/").content.decode()
    assert "Recorded sessions." not in text
    assert "Yahoo" in text


def test_without_symbols_the_watchlist_says_the_next_step(client, recorded):
    assert "manage.py doctor" in client.get("/").content.decode()


def test_the_pages_speak_korean(client, apple, recorded):
    text = client.get("/", headers={"accept-language": "ko"}).content.decode()
    assert "관심 종목" in text
    assert 'data-palette="red-blue"' in text


def test_a_symbol_is_found_in_any_case(client, apple, recorded):
    assert "Apple Inc." in client.get("/symbols/aapl/", follow=True).content.decode()


def test_an_unknown_symbol_is_a_404_that_names_those_that_are_known(client, apple, recorded):
    answer = client.get("/symbols/%3Cscript%3E/")
    assert answer.status_code == 404
    assert b"AAPL" in answer.content
    assert b"<script>/" not in answer.content


def test_a_symbol_shows_its_own_alerts_and_nobody_s_private_ones(client, apple, recorded, django_user_model):
    rang(apple, message="All may see it.")
    rang(apple, message="One may see it.", dedupe_key="2", owner=django_user_model.objects.create(username="ann"))
    text = client.get("/symbols/AAPL/").content.decode()
    assert "All may see it." in text
    assert "One may see it." not in text


def test_closed_market_data_asks_for_a_login(client, apple, recorded, settings):
    settings.MARKET_DATA_OPEN = False
    assert client.get("/").status_code == 302
    assert client.get("/symbols/AAPL/").status_code == 302


def test_the_watchlist_costs_the_same_queries_whatever_its_length(
    client, apple, recorded, django_assert_max_num_queries
):
    with django_assert_max_num_queries(8):
        client.get("/")


def test_the_admin_wears_our_name(admin_client: Client):
    assert "Finstage" in admin_client.get("/admin/").content.decode()


def test_prices_have_two_decimals_at_least_and_never_more_than_the_symbol_s():
    assert [market.price(value, 4) for value in (665.76, 620.914, 1234.5, None)] == [
        "665.76",
        "620.914",
        "1,234.50",
        "–",
    ]
    assert market.price(71500.0, 0) == "71,500"


def test_a_change_always_says_its_sign():
    assert [market.signed(value, 2) for value in (1.25, -1.25, 0.0, -0.001)] == ["+1.25", "−1.25", "0.00", "0.00"]


def test_a_change_has_no_more_decimals_than_the_price_beside_it(client, apple, quote, recorded):
    Symbol.objects.update(price_decimals=4)
    quotes.keep([quote(apple, 30.39, previous_close=30.385)])
    text = client.get("/symbols/AAPL/").content.decode()
    assert "+0.01" in text
    assert "+0.005" not in text


@pytest.mark.parametrize(
    ("price", "most", "shown"), [(30.39, 4, 2), (30.385, 4, 3), (71500.0, 0, 0), (71500.0, 4, 2), (None, 4, 0)]
)
def test_how_many_decimals_a_price_shows(price, most, shown):
    assert market.decimals(price, most) == shown


def test_a_head_without_a_price_ends_with_the_currency(client, apple, recorded):
    assert "USD<span data-state></span>" in client.get("/symbols/AAPL/").content.decode()


def test_a_korean_page_calls_a_symbol_as_it_is_called_at_home(client, db):
    facts = {"exchange": "XKRX", "currency": "KRW", "time_zone": "Asia/Seoul", "local_name": "삼성전자"}
    Symbol.objects.create(ticker="005930.KS", name="Samsung Electronics Co., Ltd.", **facts)
    for language, name in (("ko", "삼성전자"), ("en", "Samsung Electronics")):
        for path in ("/", "/symbols/005930.KS/"):
            page = client.get(path, headers={"accept-language": language}).content.decode()
            assert re.search(rf"<(span|h1)>{name}", page), (language, path)


@pytest.mark.parametrize("path", ["/ws/demo", "/ws/demo/"])
def test_the_live_stream_is_tried_by_anybody_unless_market_data_needs_a_login(client, recorded, settings, path):
    assert client.get(path).status_code == 200
    settings.MARKET_DATA_OPEN = False
    assert client.get(path).url == f"/login/?next={path}"


def test_every_code_of_a_close_has_words_in_korean(client, recorded):
    told = client.get("/ws/demo", headers={"accept-language": "ko"}).context["demo"]["closes"]
    assert told.keys() == set(CLOSE.values())
    assert all(re.search("[가-힣]", text) for text in told.values())


def test_the_page_of_a_replay_is_of_the_symbols_that_its_address_names(client, apple, recorded):
    days, now = (date(2012, 9, 4), date(2012, 9, 5)), datetime.now(UTC)
    bars.upsert([Bar("AAPL", "1d", midnight(day), 1, 3, 1, 2, 9, True, "replay", now) for day in days])
    page = client.get("/replay/?symbols=aapl, NOPE,AAPL&from=2012-09-04").context["page"]
    assert ([row["symbol"] for row in page["rows"]], page["unknown"]) == (["AAPL"], ["NOPE"])
    assert (page["first"], page["last"]) == ("2012-09-04", "2012-09-05")
    assert "symbols" not in page  # whose prices the connection's pill would take for live ones


def test_without_any_it_is_of_the_watchlist_and_where_nothing_is_held_it_says_so(client, apple, recorded):
    answer = client.get("/replay/")
    assert [row["symbol"] for row in answer.context["page"]["rows"]] == ["AAPL"]
    assert "Nothing is held of these symbols yet." in answer.content.decode()


def test_where_guests_may_not_replay_they_are_led_to_the_log_in(client, apple, recorded, settings):
    settings.REPLAYS_FOR_GUESTS = False
    text = client.get("/replay/?symbols=AAPL").content.decode()
    assert "/login/?next=/replay/%3Fsymbols%3DAAPL" in text
    assert "data-player" not in text
