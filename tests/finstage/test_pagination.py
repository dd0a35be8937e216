"""Walking through long lists: each row once, both ways, while rows come and go."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from finstage.pagination import Pages
from market.models import CorporateAction, Symbol
from monitoring.models import Job

pytestmark = [pytest.mark.django_db, pytest.mark.db]

ROWS = 2_500
NOON = datetime(2012, 9, 4, 12, tzinfo=UTC)
ORDERS = ["name", "-name", "started_at", "-started_at", "-id", ("priority", "-started_at")]


def row(number: int) -> Job:
    """A job: one of two names, for the most part the same, and at one of three instants or at none."""
    facts = {"max_attempts": 1, "timeout_seconds": 60, "not_before": NOON, "created_at": NOON}
    started_at = None if number % 4 == 0 else NOON + timedelta(microseconds=number % 3)
    return Job(name="rare" if number % 50 == 0 else "often", priority=number % 3, started_at=started_at, **facts)


def insert(count: int) -> None:
    Job.objects.bulk_create([row(number) for number in range(count)], batch_size=500)


def walk(order, url: str, way: str, limit: Callable[[], int], disturb: Callable = lambda seen: None) -> Iterator:
    """The pages that `way` leads to from a URL, each with its links."""
    for _ in range(1000):  # a way that never ends is cut
        if not url:
            return
        pages = Pages()
        pages.ordering = order
        request = Request(APIRequestFactory().get(url.split("&limit")[0] + f"&limit={limit()}"))
        seen = [job.pk for job in pages.paginate_queryset(Job.objects.defer("result"), request)]
        told = pages.get_paginated_response([]).data
        yield seen, told
        disturb(seen)
        url = told[way]
    raise AssertionError(f"{way} has no end")


def there_and_back(order, limit: Callable[[], int], disturb: Callable = lambda seen: None) -> tuple[list, list]:
    """The keys as `next` tells them, and as `previous` tells them, put the same way round."""
    there = list(walk(order, "/?sort=x", "next", limit, disturb))
    back = list(walk(order, there[-1][1]["previous"], "previous", limit, disturb))
    forth = [pk for seen, _ in there for pk in seen]
    return forth, [pk for seen, _ in reversed(back) for pk in seen] + there[-1][0]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("limit", "count"), [(1, 30), (7, 150), (1000, ROWS)])
def test_every_row_comes_once_and_the_way_back_is_the_way_there(db, order, limit, count):
    insert(count)
    forth, back = there_and_back(order, lambda: limit)
    assert len(forth) == len(set(forth)) == count
    assert back == forth


@pytest.mark.parametrize("order", ORDERS)
def test_rows_that_stay_come_once_while_others_come_and_go(db, order):
    insert(ROWS)
    chance, made = Random(str(order)), iter(range(ROWS, 10 * ROWS))

    def disturb(seen: list) -> None:
        Job.objects.bulk_create([row(next(made)) for _ in range(5)])
        gone = [seen[0], seen[-1], chance.choice(first)] if seen else []
        Job.objects.filter(pk__in=gone).delete()

    first = list(Job.objects.values_list("pk", flat=True))
    forth, back = there_and_back(order, lambda: chance.choice([1, 2, 300, 700, 1000]), disturb)
    stayed = set(Job.objects.filter(pk__in=first).values_list("pk", flat=True))
    for told in (forth, back):
        assert len(told) == len(set(told))
        assert stayed <= set(told)
    assert [pk for pk in back if pk in stayed] == [pk for pk in forth if pk in stayed]


def test_a_page_whose_rows_are_all_gone_leads_back_to_the_others(db):
    insert(ROWS)
    pages = walk("name", "/?sort=x", "next", lambda: 1000)
    first, second = next(pages), next(pages)
    Job.objects.filter(pk__in=second[0]).delete()
    Job.objects.exclude(pk__in=first[0]).delete()
    [(seen, told)] = walk("name", first[1]["next"], "next", lambda: 1000)
    assert (seen, told["next"]) == ([], None)
    [(back, _)] = walk("name", told["previous"], "previous", lambda: 1000)
    assert back == first[0]


def test_the_rows_of_a_list_are_as_it_asked_for_them(db):
    insert(2)
    pages = Pages()
    pages.ordering = "name"
    found = pages.paginate_queryset(Job.objects.values("name"), Request(APIRequestFactory().get("/?limit=1")))
    assert found == [{"name": "often"}]


@pytest.mark.parametrize("limit", ["0", "1001", "", "-1", "1.0", "²", "many"])
def test_a_limit_that_is_none_is_refused(db, limit):
    request = Request(APIRequestFactory().get("/", {"limit": limit}))
    with pytest.raises(ValidationError, match="from 1 to 1000"):
        Pages().paginate_queryset(Job.objects.all(), request)


@pytest.fixture
def namesakes(db) -> None:
    facts = {"name": "Same", "exchange": "XNAS", "currency": "USD", "time_zone": "UTC"}
    made = [Symbol.objects.create(ticker=f"S{number}", **facts) for number in range(5)]
    for symbol in made[:2]:
        for day in (1, 2, 3):
            date = NOON.date().replace(day=day)
            CorporateAction.objects.create(
                symbol=symbol, kind="split", ex_date=date, value=2, source="t", received_at=timezone.now()
            )


SYMBOLS = "/api/v2/symbols/?sort=name&limit=2"
ELSEWHERE = [
    "/api/v2/symbols/?sort=-name", "/api/v2/symbols/?sort=symbol", "/api/v2/symbols/S0/actions/?sort=ex_date",
    "/api/v2/symbols/S0/bars/?", "/api/tasks/tasks?",
]  # fmt: skip


def cursor(response) -> str:
    return dict(part.partition("=")[::2] for part in response.json()["next"].partition("?")[2].split("&"))["cursor"]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_cursor_of_another_list_or_order_is_refused(client, admin_user, namesakes, url):
    client.force_login(admin_user)
    answer = client.get(f"{url}&cursor={cursor(client.get(SYMBOLS))}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_a_cursor_of_the_same_order_of_another_symbol_is_refused(client, namesakes):
    place = cursor(client.get("/api/v2/symbols/S0/actions/?limit=1"))
    assert client.get(f"/api/v2/symbols/S0/actions/?limit=1&cursor={place}").status_code == 200
    assert client.get(f"/api/v2/symbols/S1/actions/?limit=1&cursor={place}").status_code == 400


DAMAGES = [
    lambda text: "", lambda text: text[:-1], lambda text: text[1:], lambda text: text + "A", lambda text: text + "%00",
    lambda text: text[: len(text) // 2], lambda text: text.swapcase(), lambda text: "cD1ub25zZW5zZQ==",
    lambda text: "p=nonsense", lambda text: "%FF", lambda text: "x" * 5000, lambda text: text[::-1],
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("url", [SYMBOLS, "/api/v2/symbols/S0/actions/?limit=1"])
def test_a_damaged_cursor_is_refused_and_never_the_first_page(client, namesakes, damage, url):
    answer = client.get(f"{url}&cursor={damage(cursor(client.get(url)))}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_a_page_is_the_same_bytes_each_time_so_that_304_works(client, namesakes):
    etag = client.get(SYMBOLS)["ETag"]
    assert client.get(SYMBOLS, headers={"If-None-Match": etag}).status_code == 304
