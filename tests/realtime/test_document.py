"""The schema says all of the protocol, with an example each, and the page is made from it."""

import html
import re

import jsonschema
import pytest

from realtime import messages
from realtime.messages import document, explained, shapes

SCHEMA = messages.schema()
PARTS = [(kind, name) for kind in ("actions", "messages") for name in SCHEMA["$defs"][kind]]


def test_the_schema_is_one_of_its_draft():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_each_part_says_what_it_means_and_has_an_example_that_is_one(kind, name):
    shape = SCHEMA["$defs"][kind][name]
    [example] = shape["examples"]
    jsonschema.Draft202012Validator(shape).validate(example)
    assert example["action" if kind == "actions" else "type"] == name
    assert shape["description"].endswith(".")


def test_nothing_is_explained_that_there_is_not():
    assert (explained.ACTIONS.keys(), explained.MESSAGES.keys()) == (messages.ACTIONS.keys(), messages.MESSAGES.keys())
    assert set(explained.REFUSALS) == set(shapes.ERROR_CODES)
    assert explained.CLOSES.keys() == messages.CLOSE.keys()


def test_a_close_says_whether_to_come_back():
    told = dict(document.codes("close_codes"))
    assert told[4008].endswith("Reconnect.")
    assert all(text.endswith("Do not reconnect.") == (code >= 4500) for code, text in told.items())


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 1000}, "integer 1 to 1000"),
        ({"type": ["integer", "null"], "minimum": 100, "maximum": 60_000}, "integer 100 to 60000 | null"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, 'array of ("a" | "b")'),
        ({"anyOf": [messages.MESSAGES["bar"], {"type": "null"}]}, "bar | null"),
        ({"const": True}, "true"),
    ],
)
def test_a_shape_in_a_few_words(shape, words):
    assert document.worded(shape) == words


@pytest.mark.django_db
def test_the_page_shows_every_part_and_code(client):
    page = client.get("/api/docs/realtime/").content.decode()
    for _, name in PARTS:
        assert f"<code>{name}</code></h3>" in page
    for code in (*shapes.ERROR_CODES, *messages.CLOSE.values()):
        assert f"<dt><code>{code}</code></dt>" in page
    examples = [html.unescape(text) for text in re.findall(r"<pre[^>]*><code>(.*?)</code>", page, re.DOTALL)]
    assert "<code>symbols</code> may be" in page
    assert "`" not in page
    *told, _, _, curl = examples
    assert told == [part.example for kind in ("actions", "messages") for part in document.parts(kind)]
    assert curl.startswith("curl -N 'http://testserver/api/v2/stream/?")


@pytest.mark.django_db
def test_the_page_is_linked_from_the_documents_of_the_paths_and_speaks_korean(client):
    assert client.get("/api/schema/?format=json").json()["externalDocs"]["url"] == "/api/docs/realtime/"
    page = client.get("/api/docs/realtime/", headers={"Accept-Language": "ko"}).content.decode()
    assert "실시간 스트림" in page
