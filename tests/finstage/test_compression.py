"""Answers in fewer bytes, for whoever takes them, and never one that shows a secret."""

import gzip

import pytest

from finstage import compression
from market import symbols
from market.sources import replay

pytestmark = pytest.mark.django_db
GZIP = {"accept-encoding": "gzip, deflate, br"}


@pytest.fixture
def seeds() -> None:
    symbols.ensure(replay.SEEDS)


def test_a_page_and_a_list_are_smaller_and_the_same(client, seeds):
    for path in ("/", "/api/v2/symbols/?limit=1000"):
        plain, small = client.get(path), client.get(path, headers=GZIP)
        assert small["Content-Encoding"] == "gzip", path
        assert small["Content-Length"] == str(len(small.content))
        assert all("Accept-Encoding" in each["Vary"] for each in (plain, small))
        assert len(gzip.decompress(small.content)) == len(plain.content)


def test_what_is_known_is_not_sent_again_in_either_form(client, seeds):
    path = "/api/v2/symbols/?limit=1000"
    tag = client.get(path, headers=GZIP)["ETag"]
    assert tag.startswith("W/")
    assert client.get(path, headers={**GZIP, "if-none-match": tag}).status_code == 304
    assert client.get(path, headers={"if-none-match": tag}).status_code == 304


def test_the_answer_to_an_act_and_a_small_one_stay_plain(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("ada", "ada@example.org", "secret"))
    body = {"name": "k" * 64, "scopes": ["read"]}
    made = client.post("/api/v2/keys/", body, content_type="application/json", headers=GZIP)
    assert made.status_code == 201
    assert not made.has_header("Content-Encoding")
    assert not client.get("/api/v2/keys/", headers=GZIP).has_header("Content-Encoding")


def test_the_same_page_has_another_length_each_time():
    sizes = {len(compression.padded(b"same" * 1000, 6)) for _ in range(50)}
    assert len(sizes) > 10


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip", True), ("br, GZIP", True), ("gzip;q=0.5", True), ("deflate, gzip ; q=1", True),
        ("", False), ("br", False), ("gzip;q=0", False), ("gzip;q=0.000, br", False), ("xgzip", False), ("*", False),
    ],
)  # fmt: skip
def test_who_takes_gzip(header, taken):
    assert compression.accepts(header) is taken


@pytest.mark.parametrize(("header", "taken"), [("gzip, deflate, br", True), ("br;q=0, gzip", False), ("brotli", False)])
def test_who_takes_brotli(header, taken):
    assert compression.accepts(header, "br") is taken
