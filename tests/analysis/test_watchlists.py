"""/api/v2/watchlists/: the lists of symbols that people keep."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from finstage.access import keys
from market import symbols, watchlists
from market.models import DataSource, Symbol, SymbolAlias, WatchedSymbol, Watchlist
from market.watchlists import changing

pytestmark = [pytest.mark.django_db, pytest.mark.db]

PATH = "/api/v2/watchlists/"
DEFAULT = f"{PATH}default/"
JSON = "application/json"


def symbol(ticker: str, **changes) -> Symbol:
    row = {"name": ticker, "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York", **changes}
    return Symbol.objects.create(ticker=ticker, **row)


@pytest.fixture
def three(db) -> list[Symbol]:
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=datetime.now(UTC))
    return [symbol("AAA"), symbol("BRK-B"), symbol("EURUSD=X", asset_type="currency")]


def of(name: str) -> Client:
    browser = Client()
    browser.force_login(get_user_model().objects.get_or_create(username=name)[0])
    return browser


@pytest.fixture
def bob(three) -> Client:
    return of("bob")


def make(browser: Client, name: str, *tickers: str) -> dict:
    return browser.post(PATH, {"name": name, "symbols": tickers}, content_type=JSON).json()


def listed(browser: Client, query: str = "") -> list[tuple]:
    return [(each["id"], each["symbols"]) for each in browser.get(PATH + query).json()["results"]]


def refused(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_who_is_not_logged_in_has_the_houses_list_alone_and_changes_none(client, three):
    symbol("GONE", is_active=False)
    [told] = client.get(PATH).json()["results"]
    assert told == {
        "id": "default", "name": "Default", "is_own": False, "symbols": ["AAA", "BRK-B", "EURUSD=X"],
        "changed_at": None,
    }  # fmt: skip
    assert refused(client.put(f"{DEFAULT}symbols/AAA/")) == (401, "not_authenticated")
    assert refused(client.post(PATH, {"name": "x"}, content_type=JSON)) == (401, "not_authenticated")
    assert not Watchlist.objects.exists()


def test_closed_market_data_is_closed_here_too(client, three, settings):
    settings.MARKET_DATA_OPEN = False
    for path in (PATH, DEFAULT):
        assert refused(client.get(path)) == (401, "not_authenticated")


def test_a_list_has_its_symbols_in_the_order_that_was_said_each_once(bob):
    made = bob.post(PATH, {"name": "mine", "symbols": ["eurusd=x", "BRK.B", "AAA", "BRK-B"]}, content_type=JSON)
    told = made.json()
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    assert (told["name"], told["is_own"], told["symbols"]) == ("mine", True, ["EURUSD=X", "BRK-B", "AAA"])
    rich = bob.get(f"{PATH}{told['id']}/").json()
    assert (rich["id"], rich["name"], rich["is_own"]) == (told["id"], "mine", True)
    assert [row["symbol"] for row in rich["symbols"]] == ["EURUSD=X", "BRK-B", "AAA"]
    assert {"quote", "sparkline", "records"} <= rich["symbols"][0].keys()


def test_the_default_list_is_the_houses_until_it_is_changed_and_again_once_it_is_deleted(bob):
    assert listed(bob) == [("default", ["AAA", "BRK-B", "EURUSD=X"])]
    assert not Watchlist.objects.exists()  # to read makes nothing
    told = bob.delete(f"{DEFAULT}symbols/BRK-B/").json()
    assert (told["is_own"], told["symbols"]) == (True, ["AAA", "EURUSD=X"])
    symbol("NEW")
    assert [row["symbol"] for row in bob.get(DEFAULT).json()["symbols"]] == ["AAA", "EURUSD=X"]
    assert bob.delete(DEFAULT).status_code == bob.delete(DEFAULT).status_code == 204
    assert listed(bob) == [("default", ["AAA", "BRK-B", "EURUSD=X", "NEW"])]


def test_the_page_shows_the_list_of_who_looks(client, bob):
    bob.patch(DEFAULT, {"symbols": ["BRK-B"]}, content_type=JSON)
    assert [row["symbol"] for row in bob.get("/").context["page"]["symbols"]] == ["BRK-B"]
    assert len(client.get("/").context["page"]["symbols"]) == 3
    bob.patch(DEFAULT, {"symbols": []}, content_type=JSON)
    assert "Your list is empty." in bob.get("/").content.decode()


def test_a_symbol_is_put_on_a_list_and_taken_off_however_often_that_is_asked(bob):
    path = f"{PATH}{make(bob, 'mine', 'AAA')['id']}/symbols/"
    for written in ("BRK/B", "brk-b"):
        assert bob.put(f"{path}{written}/").json()["symbols"] == ["AAA", "BRK-B"]
    assert bob.put(f"{path}EURUSD=X").json()["symbols"] == ["AAA", "BRK-B", "EURUSD=X"]
    for _ in range(2):
        assert bob.delete(f"{path}BRK-B/").json()["symbols"] == ["AAA", "EURUSD=X"]
    assert refused(bob.put(f"{path}NOPE/")) == (404, "unknown_symbol")


def test_what_stays_out_of_a_change_stays_as_it_is(bob):
    path = f"{PATH}{make(bob, 'mine', 'AAA', 'BRK-B')['id']}/"
    told = bob.patch(path, {"name": "ours"}, content_type=JSON).json()
    assert (told["name"], told["symbols"]) == ("ours", ["AAA", "BRK-B"])
    told = bob.patch(path, {"symbols": ["BRK-B"]}, content_type=JSON).json()
    assert (told["name"], told["symbols"]) == ("ours", ["BRK-B"])
    assert bob.patch(path, {}, content_type=JSON).json() == told


def test_nobody_sees_or_changes_the_list_of_another(bob):
    key, eve = make(bob, "mine", "AAA")["id"], of("eve")
    path = f"{PATH}{key}/"
    for browser in (eve, Client()):
        assert refused(browser.get(path)) == (404, "unknown_watchlist")
    eves = [
        eve.patch(path, {"name": "hers"}, content_type=JSON), eve.delete(path), eve.put(f"{path}symbols/BRK-B/"),
        eve.delete(f"{path}symbols/AAA/"),
    ]  # fmt: skip
    assert {refused(answer) for answer in eves} == {(404, "unknown_watchlist")}
    assert listed(eve) == [("default", ["AAA", "BRK-B", "EURUSD=X"])]
    assert make(eve, "mine", "AAA")["name"] == "mine"
    assert listed(bob)[1] == (key, ["AAA"])


@pytest.mark.parametrize("name", ["0", "-1", "x", "9" * 18, "9" * 40, "1.5", "²"])
def test_what_names_no_list_is_a_typed_404(bob, name):
    assert refused(bob.get(f"{PATH}{name}/")) == (404, "unknown_watchlist")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"name": "x", "symbols": ["AAA", "AAB"]}, "unknown_symbol", "symbols"),
        ({"name": "x", "symbols": "AAA"}, "invalid_symbols", "symbols"),
        ({"name": "x", "symbols": [""]}, "invalid_symbols", "symbols.0"),
        ({"name": " "}, "invalid_name", "name"),
        ({"symbols": []}, "invalid_name", "name"),
        ({"name": "x" * 101}, "invalid_name", "name"),
        ({"name": "x", "symbls": []}, "unknown_field", "symbls"),
    ],
)
def test_what_cannot_be_is_named(bob, body, code, field):
    answer = bob.post(PATH, body, content_type=JSON)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert answer.json()["code"] == code
    assert not Watchlist.objects.exists()


def test_an_unknown_symbol_leaves_the_list_as_it_was_and_is_told_with_what_may_be_meant(bob):
    path = f"{PATH}{make(bob, 'mine', 'AAA')['id']}/"
    answer = bob.patch(path, {"name": "ours", "symbols": ["BRKB"]}, content_type=JSON)
    assert refused(answer) == (400, "unknown_symbol")
    assert "Did you mean BRK-B?" in answer.json()["errors"]["symbols"][0]
    assert bob.get(path).json()["name"] == "mine"


def test_a_name_is_taken_once_by_each_and_the_defaults_by_nobody(bob):
    first, second = make(bob, "mine"), make(bob, "Mine")
    assert refused(bob.post(PATH, {"name": "mine"}, content_type=JSON)) == (409, "name_taken")
    assert refused(bob.patch(f"{PATH}{second['id']}/", {"name": "mine"}, content_type=JSON)) == (409, "name_taken")
    assert refused(bob.post(PATH, {"name": "default"}, content_type=JSON)) == (409, "name_taken")
    assert refused(bob.patch(DEFAULT, {"name": "mine"}, content_type=JSON)) == (409, "default_watchlist")
    assert [key for key, _ in listed(bob)] == ["default", first["id"], second["id"]]


def test_lists_and_their_symbols_are_so_many_at_most(bob, monkeypatch):
    monkeypatch.setattr(changing, "MOST", 2)
    monkeypatch.setattr(changing, "MOST_SYMBOLS", 2)
    key = make(bob, "mine", "AAA", "BRK-B")["id"]
    make(bob, "other")
    assert refused(bob.post(PATH, {"name": "third"}, content_type=JSON)) == (409, "too_many_watchlists")
    assert refused(bob.put(f"{PATH}{key}/symbols/EURUSD=X/")) == (409, "too_many_symbols")
    assert bob.put(f"{PATH}{key}/symbols/AAA/").status_code == 200
    assert refused(bob.delete(f"{DEFAULT}symbols/AAA/")) == (409, "too_many_symbols")  # the house has three
    too_many = bob.patch(f"{PATH}{key}/", {"symbols": ["AAA", "BRK-B", "EURUSD=X"]}, content_type=JSON)
    assert refused(too_many) == (409, "too_many_symbols")
    assert listed(bob)[1] == (key, ["AAA", "BRK-B"])


def test_every_list_is_told_once_while_others_come_and_go(bob):
    made = [make(bob, f"list {number}")["id"] for number in range(6)]
    seen, url = [], f"{PATH}?limit=2"
    while url:
        page = bob.get(url).json()
        seen += [each["id"] for each in page["results"]]
        if len(seen) == 4:  # the one that the next page begins with goes, and one that was told
            bob.delete(f"{PATH}{made[3]}/")
            bob.delete(f"{PATH}{made[0]}/")
        url = page["next"]
    assert seen == ["default", *made[:3], made[4], made[5]]
    back = bob.get(page["previous"]).json()
    assert [each["id"] for each in back["results"]] == [made[1], made[2]]


def test_lists_are_asked_for_by_a_symbol_that_they_have(bob):
    key = make(bob, "mine", "AAA")["id"]
    bob.delete(f"{DEFAULT}symbols/AAA/")
    assert listed(bob, "?symbol=aaa") == [(key, ["AAA"])]
    assert [each for each, _ in listed(bob, "?symbol=BRK.B")] == ["default"]
    assert refused(bob.get(f"{PATH}?symbol=NOPE")) == (404, "unknown_symbol")


def test_lists_can_be_had_as_a_table_and_are_not_told_again_unchanged(bob):
    make(bob, "mine", "AAA")
    assert bob.get(f"{PATH}?format=csv").content.decode().splitlines()[2].startswith(f"{Watchlist.objects.get().pk},mi")
    tag = bob.get(PATH)["ETag"]
    assert bob.get(PATH, headers={"If-None-Match": tag}).status_code == 304


def test_however_many_lists_take_as_many_queries(bob, django_assert_num_queries):
    for number in range(5):
        make(bob, f"list {number}", "AAA", "BRK-B")
    with django_assert_num_queries(5):  # the session, its person, the lists, what is on them, what the house has
        assert len(listed(bob)) == 6


def test_a_symbol_stays_on_a_list_under_its_next_name_and_goes_with_its_row(bob, three):
    key = make(bob, "mine", "AAA", "BRK-B")["id"]
    symbols.rename("AAA", "ZZZ")
    assert listed(bob)[1] == (key, ["ZZZ", "BRK-B"])
    SymbolAlias.objects.all().delete()
    Symbol.objects.get(ticker="ZZZ").delete()
    assert listed(bob)[1] == (key, ["BRK-B"])
    assert WatchedSymbol.objects.count() == 1


def test_what_the_version_before_deleted_is_on_no_list(bob, three):
    """It knows nothing of these rows, so they stay."""
    key = make(bob, "mine", "AAA", "BRK-B")["id"]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM market_symbol WHERE ticker = 'AAA'")
    assert listed(bob)[1] == (key, ["BRK-B"])
    assert [row["symbol"] for row in bob.get(f"{PATH}{key}/").json()["symbols"]] == ["BRK-B"]


def test_with_the_person_go_the_lists(bob):
    make(bob, "mine", "AAA")
    get_user_model().objects.get(username="bob").delete()
    assert not Watchlist.objects.exists()
    assert not WatchedSymbol.objects.exists()


def test_a_key_that_may_only_read_changes_nothing(three):
    owner = get_user_model().objects.create_user("bob")
    _, key = keys.make(owner, "reads", ["read"], None)
    headers = {"Authorization": f"Bearer {key}"}
    assert Client().get(PATH, headers=headers).status_code == 200
    assert refused(Client().put(f"{DEFAULT}symbols/AAA/", headers=headers)) == (403, "missing_scope")


def test_a_session_still_needs_the_forms_token(bob):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(get_user_model().objects.get(username="bob"))
    assert refused(browser.post(PATH, {"name": "mine"}, content_type=JSON)) == (403, "permission_denied")


@pytest.fixture
def ask(transactional_db, live_web) -> Callable[..., requests.Response]:
    """ask("PUT", "default/symbols/AAA/"): of the server, with the key of one person."""
    owner = get_user_model().objects.create_user("carol")
    _, key = keys.make(owner, "a script", ["read", "write"], None)

    def asked(method: str, path: str, **options) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {key}"}
            return session.request(method, f"{live_web.url}{PATH}{path}", headers=headers, timeout=30, **options)

    return asked


@pytest.mark.django_db(transaction=True)
def test_two_at_once_lose_no_symbol_and_pass_no_bound(ask):
    tickers = [f"S{number}" for number in range(8)]
    for ticker in tickers:
        symbol(ticker)
    assert ask("PATCH", "default/", json={"symbols": []}).status_code == 200
    with ThreadPoolExecutor(8) as together:
        answers = list(together.map(lambda ticker: ask("PUT", f"default/symbols/{ticker}/"), tickers))
        assert {answer.status_code for answer in answers} == {200}
        assert sorted(ask("GET", "").json()["results"][0]["symbols"]) == tickers
        places = list(WatchedSymbol.objects.order_by("place").values_list("place", flat=True))
        assert places == list(range(8))
        named = list(together.map(lambda _: ask("POST", "", json={"name": "one"}).status_code, range(4)))
        assert sorted(named) == [201, 409, 409, 409]
        owner = get_user_model().objects.get(username="carol").pk
        for number in range(watchlists.MOST - 3):
            watchlists.make(owner, f"{number}", [])
        made = list(together.map(lambda number: ask("POST", "", json={"name": f"n{number}"}).status_code, range(6)))
    assert sorted(made) == [201, 201, 409, 409, 409, 409]
