"""A symbol is its key: whatever people write for it leads to the same one."""

from dataclasses import replace
from datetime import date

import pytest
from django.urls import reverse

from market import bars, quotes, symbols
from market.models import Snapshot, Symbol, SymbolAlias
from market.sources import replay, yahoo
from monitoring import jobs
from monitoring.models import Job
from tests.market.test_records import bar

pytestmark = pytest.mark.django_db
FACTS = {"exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York"}


@pytest.fixture
def meta(db) -> Symbol:
    """A symbol that was FB before."""
    found = Symbol.objects.create(ticker="META", name="Meta Platforms, Inc.", **FACTS)
    SymbolAlias.objects.create(text="FB", symbol=found, kind="former")
    return found


@pytest.fixture
def berkshire(db) -> Symbol:
    return Symbol.objects.create(ticker="BRK-B", name="Berkshire Hathaway Inc.", **FACTS)


@pytest.mark.db
@pytest.mark.parametrize(
    ("text", "ticker"),
    [
        ("META", "META"), ("meta", "META"), (" Meta\n", "META"), ("ＭＥＴＡ", "META"), ("FB", "META"), ("fb", "META"),
        ("BRK-B", "BRK-B"), ("BRK.B", "BRK-B"), ("brk/b", "BRK-B"), ("BRK B", "BRK-B"),
    ],
)  # fmt: skip
def test_what_people_write_leads_to_the_symbol(meta, berkshire, text, ticker):
    assert symbols.resolve(text).ticker == ticker


@pytest.mark.parametrize("text", ["", " ", "METAX", "BRKB", "META\x00", "\ud800", "M" * 1000, "%", "_"])
def test_what_means_nothing_here_says_so(meta, berkshire, text):
    with pytest.raises(symbols.UnknownSymbol, match="there is no symbol"):
        symbols.resolve(text)


def test_a_ticker_of_today_beats_a_former_one(meta):
    other = Symbol.objects.create(ticker="FB", name="Fibre plc", **FACTS)
    assert symbols.resolve("FB") == other
    assert symbols.former() == {}


def test_many_texts_take_two_queries_and_tickers_one(meta, berkshire, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert symbols.tickers(["meta", "BRK-B"]) == {"meta": "META", "BRK-B": "BRK-B"}
    with django_assert_num_queries(2):
        assert symbols.tickers(["FB", "BRK.B", "NOPE"]) == {"FB": "META", "BRK.B": "BRK-B"}


def test_a_symbol_at_home_in_seoul_has_its_name_there_and_the_code_that_people_use(client):
    symbols.ensure(yahoo.SEEDS)
    symbols.ensure(yahoo.SEEDS)
    assert symbols.resolve("005930").local_name == "삼성전자"
    for search in ("삼성", "sk하이", "005930"):
        found = client.get("/api/v2/symbols/", {"search": search}).json()["results"]
        assert len(found) == 1, search
    assert client.get("/api/v2/watchlists/default/").json()["symbols"][0]["local_name"] == "SK하이닉스"


def test_a_seed_brings_no_second_row_of_a_symbol_that_has_another_ticker_now(meta):
    symbols.ensure(replay.SEEDS)
    assert [symbol.ticker for symbol in symbols.tracked()] == ["AAPL", "GOOG", "IBM", "META", "MSFT"]
    assert Symbol.objects.get(pk=meta.pk).name == "Meta Platforms, Inc."


@pytest.mark.parametrize("path", ["", "bars/", "records/", "actions/", "quote/"])
def test_every_read_of_a_symbol_answers_to_its_former_name(client, meta, quote, path):
    quotes.keep([quote("META", 330.5)])
    old, new = (client.get(f"/api/v2/symbols/{ticker}/{path}") for ticker in ("fb", "META"))
    assert (old.status_code, old.json()) == (200, new.json())


def test_many_prices_come_under_the_names_that_were_asked(client, meta, quote):
    quotes.keep([quote("META", 330.5)])
    for path in ("/api/v2/technical-analysis/prices/batch", "/async/symbols/batch"):
        told = client.get(path, {"symbols": "fb,META,NOPE"}).json()["prices"]
        assert told == {"FB": 330.5, "META": 330.5, "NOPE": None}


def test_the_page_of_a_former_name_leads_to_todays(client, meta):
    assert client.get("/symbols/FB/").url == "/symbols/META/"
    assert client.get("/symbols/meta/").status_code == 200


@pytest.mark.db
def test_what_a_source_still_says_of_the_former_name_is_kept_for_the_symbol(meta, quote):
    written = bars.upsert([replace(bar(date(2024, 5, 30), 120, 100), ticker="FB")])
    assert (written.inserted, written.refused) == (1, ())
    assert quotes.store([quote("FB", 110)]) == 1
    assert Snapshot.objects.get().symbol == meta


def test_a_job_is_about_todays_ticker_and_found_by_either(meta, client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("ada", "ada@example.org", "secret"))
    asked = {"task": "market.records", "args": {"symbols": ["fb"]}}
    answer = client.post("/api/tasks/submit", asked, content_type="application/json")
    job = Job.objects.get(pk=answer.json()["task_id"])
    assert (job.about, job.arguments) == ("META", {"symbols": ["fb"]})
    jobs.submit("market.quotes", {"symbols": ["AAPL", "FB"]})
    for name in ("FB", "meta"):
        assert len(client.get("/api/tasks/tasks", {"symbol": name}).json()["results"]) == 2, name


def test_staff_add_a_spelling_and_see_the_former_name(meta, client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("ada", "ada@example.org", "secret"))
    path = reverse("admin:market_symbol_change", args=[meta.pk])
    assert b"FB" in client.get(path).content
    form = {
        "aliases-TOTAL_FORMS": 2,
        "aliases-INITIAL_FORMS": 1,
        "aliases-1-text": "meta.oq",
        "aliases-1-symbol": meta.pk,
    }
    kept = {"aliases-0-id": meta.aliases.get().pk, "aliases-0-symbol": meta.pk, "aliases-0-text": "FB"}
    facts = {name: getattr(meta, name) for name in ("name", "asset_type", "price_decimals", *FACTS)}
    assert client.post(path, {**form, **kept, **facts}).status_code == 302
    assert symbols.resolve("Meta.OQ") == meta


@pytest.mark.db
@pytest.mark.parametrize(
    ("to", "other"), [("FB", "META"), ("brk.b", "Berkshire"), ("SPX", "\\^GSPC"), ("BRK-B", "Berkshire")]
)
def test_no_symbol_takes_what_means_another(meta, berkshire, to, other):
    index = Symbol.objects.create(ticker="^GSPC", name="S&P 500", **FACTS)
    SymbolAlias.objects.create(text="SPX", symbol=index)
    ibm = Symbol.objects.create(ticker="IBM", name="IBM", **FACTS)
    meant = symbols.resolve(to)
    with pytest.raises(symbols.NameTaken, match=f"{other}.*IBM can't have"):
        symbols.rename("IBM", to)
    ibm.refresh_from_db()
    assert (ibm.ticker, symbols.resolve(to)) == ("IBM", meant)


def test_a_symbol_takes_its_own_spelling(berkshire):
    SymbolAlias.objects.create(text="BRK.B", symbol=berkshire)
    assert symbols.rename("BRK-B", "BRK.B").new == "BRK.B"
    assert symbols.resolve("brk-b") == berkshire


@pytest.mark.db
@pytest.mark.parametrize("field", ["name", "local_name"])
def test_a_name_that_no_column_holds_is_refused_before(meta, field):
    with pytest.raises(symbols.NameTooLong, match="up to 200 characters"):
        symbols.rename("META", "MVRS", **{field: "M" * 201})
    assert symbols.rename("META", "MVRS", **{field: "M" * 200}).new == "MVRS"


@pytest.mark.db
def test_a_seed_changes_nothing_of_a_symbol_that_got_its_ticker(meta):
    amazon = Symbol.objects.create(ticker="AMZN", name="Amazon.com, Inc.", **FACTS)
    fibre = Symbol.objects.create(ticker="FB", name="Fibre plc", **FACTS)
    symbols.rename("AMZN", "IBM")
    found = symbols.ensure(replay.SEEDS)
    amazon.refresh_from_db()
    fibre.refresh_from_db()
    assert (amazon.ticker, amazon.name, fibre.name) == ("IBM", "Amazon.com, Inc.", "Fibre plc")
    assert [symbol.ticker for symbol in found] == ["AAPL", "GOOG", "IBM", "META", "MSFT"]


def test_blanks_before_a_ticker_are_not_counted(berkshire):
    assert symbols.resolve(" " * 127 + "BRK-B") == berkshire
