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


@pytest.mark.parametrize("path", ["", "/bars", "/records", "/actions", "/quote/"])
@pytest.mark.parametrize("text", ["fb", "fa/ce", "FA%2FCE"])
def test_every_read_of_a_symbol_answers_to_its_other_names(client, meta, quote, path, text):
    SymbolAlias.objects.create(text="FA/CE", symbol=meta)
    quotes.keep([quote("META", 330.5)])
    other, own = (client.get(f"/api/v2/symbols/{ticker}{path}") for ticker in (text, "META"))
    assert (other.status_code, other.json()) == (200, own.json())


def test_many_prices_come_under_the_names_that_were_asked(client, meta, quote):
    quotes.keep([quote("META", 330.5)])
    for path in ("/api/v2/technical-analysis/prices/batch", "/async/symbols/batch"):
        told = client.get(path, {"symbols": "fb,META,NOPE"}).json()["prices"]
        assert told == {"FB": 330.5, "META": 330.5, "NOPE": None}


def test_the_page_of_a_former_name_leads_to_todays(client, meta):
    SymbolAlias.objects.create(text="FA/CE", symbol=meta)
    for text in ("FB", "meta", "fa/ce", "FA%2FCE"):
        assert client.get(f"/symbols/{text}/").url == "/symbols/META/", text
    assert client.get("/symbols/META/").status_code == 200
    assert client.get("/symbols/NO/PE/").status_code == 404


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


@pytest.fixture
def staff(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("ada", "ada@example.org", "secret"))
    return client


def save(staff, symbol: Symbol, **said):
    """Save META's page, with its former ticker and one more spelling as they are said."""
    form = {
        "TOTAL_FORMS": 2,
        "INITIAL_FORMS": 1,
        "0-id": symbol.aliases.get().pk,
        "0-symbol": symbol.pk,
        "0-text": "FB",
    }
    form |= {"1-symbol": symbol.pk} | said
    facts = {name: getattr(symbol, name) for name in ("name", "asset_type", "price_decimals", *FACTS)}
    path = reverse("admin:market_symbol_change", args=[symbol.pk])
    return staff.post(path, facts | {f"aliases-{name}": value for name, value in form.items()})


@pytest.mark.parametrize("text", ["meta.oq", " ｍｅｔａ.ＯＱ"])
def test_staff_add_a_spelling_as_it_is_looked_for_and_see_the_former_name(meta, staff, text):
    assert b"FB" in staff.get(reverse("admin:market_symbol_change", args=[meta.pk])).content
    assert save(staff, meta, **{"1-text": text}).status_code == 302
    assert symbols.resolve("Meta.OQ") == meta


@pytest.mark.parametrize(
    ("text", "why"),
    [("ｂｒｋ-b", "means BRK-B"), ("brk/b", "means BRK-B"), ("meta", "means META"), ("a\x7fb", "name nothing")],
)
def test_staff_add_no_spelling_that_leads_somewhere_already_or_nowhere(meta, berkshire, staff, text, why):
    answer = save(staff, meta, **{"1-text": text})
    assert (answer.status_code, why in answer.content.decode()) == (200, True)
    assert meta.aliases.count() == 1


def test_staff_neither_delete_nor_change_a_former_ticker(meta, staff):
    assert save(staff, meta, **{"0-DELETE": "on", "0-text": "FBX", "1-text": "META.OQ"}).status_code == 302
    assert sorted(meta.aliases.values_list("text", "kind")) == [("FB", "former"), ("META.OQ", "spelling")]


@pytest.mark.parametrize(
    ("text", "ticker"), [("fb", "FB"), (" brk.a", "BRK.A"), ("A B", None), ("spx", None), ("BRK-A", None)]
)
def test_staff_add_a_symbol_under_a_ticker_that_means_no_other(meta, berkshire, staff, text, ticker):
    for spelled in ("SPX", "BRK/A"):
        SymbolAlias.objects.create(text=spelled, symbol=berkshire)
    form = {"ticker": text, "name": "Other", "asset_type": "equity", "price_decimals": 2, **FACTS}
    forms = {"aliases-TOTAL_FORMS": 0, "aliases-INITIAL_FORMS": 0}
    answer = staff.post(reverse("admin:market_symbol_add"), form | forms)
    assert answer.status_code == (302 if ticker else 200)
    assert set(Symbol.objects.filter(name="Other").values_list("ticker", flat=True)) == {ticker} - {None}


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


def test_no_symbol_takes_a_ticker_whose_other_spelling_means_another(meta):
    SymbolAlias.objects.create(text="BRK.B", symbol=meta)
    Symbol.objects.create(ticker="IBM", name="IBM", **FACTS)
    with pytest.raises(symbols.NameTaken, match=r"BRK\.B leads to META"):
        symbols.rename("IBM", "BRK-B")
    assert symbols.rename("META", "BRK-B").new == "BRK-B"


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
