"""/api/v2/restatements/: what was revised, why, and what was computed from the former value."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market import actions, bars, coverage, prices, records
from market.coverage import tokens
from market.models import BarRevision, CorporateAction, Decision, Record, SupersededAction, Symbol
from market.prices import Action, Bar, Named

pytestmark = [pytest.mark.django_db, pytest.mark.db]

PATH = "/api/v2/restatements/"
FIRST = datetime(2024, 6, 1, 9, tzinfo=UTC)
DAYS = [date(2024, 5, 29), date(2024, 5, 30), date(2024, 5, 31)]


def later(hours: float) -> datetime:
    return FIRST + timedelta(hours=hours)


def bar(day: date, close: float, *, at: datetime = FIRST, ticker: str = "AAPL", volume: int = 1000) -> Bar:
    return Bar(ticker, "1d", prices.midnight(day), 100.0, 120.0, 90.0, close, volume, True, "yahoo", at)


def other(ticker: str) -> Symbol:
    row = {"name": ticker, "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    return Symbol.objects.create(ticker=ticker, **row)


def told(client, query: str = "") -> list[dict]:
    return client.get(PATH + query).json()["results"]


@pytest.fixture
def three(apple) -> Symbol:
    bars.upsert([bar(day, 100.0) for day in DAYS])
    return apple


def test_a_corrected_bar_says_what_it_was_what_it_is_and_why(client, three):
    bars.upsert([bar(DAYS[1], 101.0, at=later(1), volume=1100)], reason="the source corrects")
    [found] = told(client)
    before = {
        "revision": 0, "open": 100.0, "high": 120.0, "low": 90.0, "close": 100.0, "volume": 1000, "source": "yahoo",
        "received_at": "2024-06-01T09:00:00Z",
    }  # fmt: skip
    assert found == {
        "what": "bar", "symbol": "AAPL", "revised_at": "2024-06-01T10:00:00Z", "interval": "1d",
        "opened_at": "2024-05-30T00:00:00Z", "session_date": "2024-05-30", "reason": "the source corrects",
        "changed": ["close", "volume"], "before": before,
        "after": {**before, "revision": 1, "close": 101.0, "volume": 1100, "received_at": "2024-06-01T10:00:00Z"},
        "computed_from_it": [],
    }  # fmt: skip


def test_each_correction_of_a_bar_is_told_with_the_one_after_it_the_newest_first(client, three):
    for hours, close in ((1, 101.0), (2, 102.0), (3, 103.0)):
        bars.upsert([bar(DAYS[1], close, at=later(hours))])
    found = [(each["before"]["close"], each["after"]["close"]) for each in told(client)]
    assert found == [(102.0, 103.0), (101.0, 102.0), (100.0, 101.0)]


def test_what_confirms_and_what_settles_is_no_restatement(client, three):
    bars.upsert([bar(DAYS[0], 100.0, at=later(1))])
    closed = {"is_final": False, "state": "closed"}
    day = date(2024, 6, 3)
    shown = Bar("AAPL", "1d", prices.midnight(day), 1.0, 2.0, 1.0, 1.5, 1, source="yahoo", received_at=FIRST, **closed)
    bars.upsert([shown])
    bars.upsert([bar(day, 100.0, at=later(2))])
    assert told(client) == []


def test_a_record_that_stands_upon_the_former_value_is_named_until_it_is_computed_anew(client, three):
    records.refresh(["AAPL"])
    version = coverage.latest(["AAPL"])["AAPL"]
    at = datetime.now(UTC) + timedelta(seconds=1)
    bars.upsert([bar(DAYS[1], 101.0, at=at)])
    [found] = told(client)
    assert {(each["kind"], each["name"], each["version"]) for each in found["computed_from_it"]} == {
        ("record", "52_weeks", version), ("record", "all_time", version),
    }  # fmt: skip
    Record.objects.update(version=f"{int((at.timestamp() + 1) * 1000):012x}{'0' * 20}")
    assert told(client)[0]["computed_from_it"] == []


def test_a_record_of_before_the_value_came_and_of_other_sessions_is_not_named(client, three):
    records.refresh(["AAPL"])
    at = datetime.now(UTC) + timedelta(seconds=1)
    bars.upsert([bar(DAYS[1], 101.0, at=at)])
    Record.objects.filter(scope="52_weeks").update(since=DAYS[2])
    Record.objects.filter(scope="all_time").update(version=f"{int(later(-1).timestamp() * 1000):012x}{'0' * 20}")
    assert told(client)[0]["computed_from_it"] == []


def test_a_record_whose_version_nobody_kept_goes_by_when_it_was_computed(client, three):
    records.refresh(["AAPL"])
    Record.objects.update(version=None)
    bars.upsert([bar(DAYS[1], 101.0, at=datetime.now(UTC) + timedelta(seconds=1))])
    assert [each["version"] for each in told(client)[0]["computed_from_it"]] == [None, None]


def named(*found: Action) -> Named:
    kinds = frozenset({"split", "dividend"})
    return Named(list(found), kinds, date(2024, 1, 1), date(2024, 12, 31))


def test_an_action_that_is_told_otherwise_moved_or_withdrawn_says_so(client, three):
    tellings = [
        [Action("AAPL", "dividend", DAYS[1], 0.24), Action("AAPL", "split", DAYS[0], 2.0, 2, 1)],
        [Action("AAPL", "dividend", DAYS[1], 0.25), Action("AAPL", "split", DAYS[2], 2.0, 2, 1)],
        [Action("AAPL", "split", DAYS[2], 2.0, 2, 1)],
    ]
    for each in tellings:
        actions.keep(three, named(*each), "yahoo")
    found = [(each["reason"], each["before"]["kind"], each["session_date"], each["changed"]) for each in told(client)]
    assert found[0] == ("withdrawn", "dividend", "2024-05-30", [])
    assert sorted(found[1:]) == [
        ("corrected", "dividend", "2024-05-30", ["value"]), ("moved", "split", "2024-05-29", ["ex_date"]),
    ]  # fmt: skip


def test_a_decision_about_an_action_is_told(client, three):
    actions.keep(three, named(Action("AAPL", "split", DAYS[1], 2.0, 2, 1, disputed="no price moved")), "yahoo")
    actions.decide(CorporateAction.objects.get(), Decision.KEPT_OUT, "ann")
    [found] = told(client)
    assert (found["reason"], found["changed"], found["after"]["decision"]) == ("decided", ["decision"], "kept_out")


def test_a_split_that_goes_names_the_records_that_counted_it_and_a_dividend_none(client, three):
    split, paid = Action("AAPL", "split", DAYS[1], 2.0, 2, 1), Action("AAPL", "dividend", DAYS[1], 0.25)
    actions.keep(three, named(split, paid), "yahoo")
    records.refresh(["AAPL"])
    SupersededAction.objects.all().delete()
    actions.keep(three, named(), "yahoo")
    found = {each["before"]["kind"]: len(each["computed_from_it"]) for each in told(client)}
    assert found == {"split": 2, "dividend": 0}


@pytest.mark.parametrize(("since", "until", "counted"), [(900, 5000, 2), (-5000, 900, 0), (-5000, 1900, 2)])
def test_what_is_written_in_the_millisecond_of_a_version_is_in_it(client, three, since, until, counted):
    """since, until: microseconds from when the version was given that the records have counted."""
    actions.keep(three, named(Action("AAPL", "split", DAYS[1], 2.0, 2, 1)), "yahoo")
    records.refresh(["AAPL"])
    actions.keep(three, named(), "yahoo")
    given = tokens.given_at(Record.objects.values_list("version", flat=True).distinct().get())
    SupersededAction.objects.update(
        received_at=given + timedelta(microseconds=since), superseded_at=given + timedelta(microseconds=until)
    )
    assert [len(each["computed_from_it"]) for each in told(client)] == [counted]


@pytest.fixture
def many(three) -> list[tuple]:
    """Of two symbols, two intervals and two kinds, with several at one instant. As they are told in order."""
    msft = other("MSFT")
    openings = [datetime(2024, 5, 31, hour, 30, tzinfo=UTC) for hour in (13, 14)]
    hour = [Bar("MSFT", "1h", at, 1.0, 2.0, 1.0, 1.5, 1, True, "yahoo", FIRST, session_date=DAYS[2]) for at in openings]
    bars.upsert([*(bar(day, 100.0, ticker="MSFT") for day in DAYS)])
    bars.upsert(hour)
    for number, at in ((1, later(1)), (2, later(2))):
        bars.upsert([bar(day, 100.0 + number, at=at, ticker=ticker) for day in DAYS for ticker in ("AAPL", "MSFT")])
    bars.upsert([Bar(**{**_plain(each), "close": 1.6, "received_at": later(2)}) for each in hour])
    for number, (symbol, at) in enumerate([(three, later(1)), (msft, later(2)), (msft, later(2))]):
        facts = {"source": "yahoo", "received_at": FIRST, "kind": "dividend", "value": 0.1}
        SupersededAction.objects.create(id=number + 1, symbol=symbol, ex_date=DAYS[number], superseded_at=at, **facts)
    return [key(each) for each in told_of_all()]


def _plain(each: Bar) -> dict:
    return {name: getattr(each, name) for name in Bar.__dataclass_fields__}


def told_of_all() -> list[dict]:
    """As the tables have them, in the order that is promised."""
    rows = [
        {"revised_at": row.replaced_at, "what": "bar", "id": row.pk, "symbol": row.symbol.ticker,
         "interval": row.interval, "opened_at": row.opened_at, "close": row.close}
        for row in BarRevision.objects.select_related("symbol")
    ] + [
        {"revised_at": row.superseded_at, "what": "action", "id": row.pk, "symbol": row.symbol.ticker,
         "interval": None, "opened_at": None, "close": row.ex_date.isoformat()}
        for row in SupersededAction.objects.select_related("symbol")
    ]  # fmt: skip
    rows.sort(key=lambda row: -row["id"])
    rows.sort(key=lambda row: row["what"] != "bar")
    return sorted(rows, key=lambda row: row["revised_at"], reverse=True)


def key(row: dict) -> tuple:
    opened = row["opened_at"] and prices.instant(row["opened_at"])
    return row["what"], row["symbol"], row["interval"], opened, row["close"]


def walked(client, url: str, way: str) -> list[list[tuple]]:
    pages = []
    while url:
        page = client.get(url).json()
        pages.append(
            [
                (each["what"], each["symbol"], each["interval"], each["opened_at"],
                 each["before"].get("close", each["session_date"]))
                for each in page["results"]
            ]
        )  # fmt: skip
        url = page[way]
    return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 1000])
def test_each_is_told_once_in_one_order_however_long_the_pages_are_there_and_back(client, many, limit):
    assert len(many) == 17
    there = walked(client, f"{PATH}?limit={limit}", "next")
    assert [each for page in there for each in page] == many
    last, url = client.get(f"{PATH}?limit={limit}").json(), f"{PATH}?limit={limit}"
    while last["next"]:
        url, last = last["next"], client.get(last["next"]).json()
    back = walked(client, url, "previous")
    assert [each for page in reversed(back) for each in page] == many


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?symbol=aapl", 7),
        ("?symbol=MSFT&what=bar", 8),
        ("?what=action", 3),
        ("?interval=1h", 2),
        ("?interval=1d&symbol=MSFT", 6),
        ("?start=2024-05-31", 7),
        ("?end=2024-05-29", 5),
        ("?start=2024-05-30&end=2024-05-30&what=bar", 4),
        ("?revised_after=2024-06-01T11:00:00Z", 10),
    ],
)
def test_they_are_cut_by_symbol_kind_interval_session_and_instant(client, many, query, count):
    assert len(told(client, query)) == count


def test_those_of_a_symbol_have_a_path_of_their_own(client, many):
    assert client.get("/api/v2/symbols/msft/restatements/").json()["results"] == told(client, "?symbol=MSFT")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?symbol=NOPE", 404, "unknown_symbol"),
        ("?what=price", 400, "invalid_what"),
        ("?interval=2d", 400, "invalid_interval"),
        ("?start=yesterday", 400, "invalid_start"),
        ("?start=2024-05-31&end=2024-05-30", 400, "invalid_range"),
        ("?revised_after=2999-01-01T00:00:00Z", 400, "invalid_revised_after"),
        ("?cursor=x", 400, "invalid_cursor"),
        ("?limit=0", 400, "invalid_limit"),
        ("?sort=symbol", 400, "invalid_parameters"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_code(client, three, query, status, code):
    answer = client.get(PATH + query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_however_many_take_as_many_queries(client, many, django_assert_num_queries):
    with django_assert_num_queries(7):  # both tables, former and standing bars, records, indicators and signals
        client.get(PATH)


def test_they_can_be_had_as_a_table_and_are_not_told_again_unchanged(client, many):
    rows = client.get(f"{PATH}?format=csv").content.decode().splitlines()
    assert rows[0].startswith("what,symbol,interval,opened_at,session_date,revised_at,reason,changed")
    assert len(rows) == 18
    tag = client.get(PATH)["ETag"]
    assert client.get(PATH, headers={"If-None-Match": tag}).status_code == 304


def test_what_is_known_now_is_told_as_it_was_known_then(client, three):
    bars.upsert([bar(DAYS[1], 101.0, at=later(1))])
    path = "/api/v2/symbols/AAPL/bars/?as_known_at=2024-06-01T09:30:00Z"
    assert [each["close"] for each in client.get(path).json()["results"]] == [100.0, 100.0, 100.0]
    assert client.get(f"{path}&format=csv").content.decode().count("101.0") == 0
    many = "/api/v2/bars/?symbols=AAPL&as_known_at=2024-06-01T09:30:00Z"
    assert [each["close"] for each in client.get(many).json()["results"][0]["bars"]] == [100.0, 100.0, 100.0]
