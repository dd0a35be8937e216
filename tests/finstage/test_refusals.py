"""What is refused is told in a handful of words, however much was said, and costs little more than to read it."""

import json
import time

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from monitoring import names
from tests.forms import DEAR_QUICK_FORMS, NAMES, OBJECTS

pytestmark = pytest.mark.django_db
SUBMIT, QUICK = "/api/tasks/submit", "/api/tasks/quick/daily-report"
A_FEW_KILOBYTES = 8_000


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user("somebody"))
    return client


@pytest.mark.parametrize("path", [SUBMIT, QUICK])
@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_of_many_faults_gets_a_small_answer(client, path, name):
    answer = client.post(path, OBJECTS[name], content_type="application/json")
    assert answer.status_code == 400
    assert len(answer.content) < A_FEW_KILOBYTES


@pytest.mark.parametrize("name", DEAR_QUICK_FORMS)
def test_the_dearest_form_that_a_quick_job_reads_costs_its_thread_little(client, name):
    kind, form = DEAR_QUICK_FORMS[name]
    began = time.thread_time()
    answer = client.post(QUICK, form, content_type=kind)
    assert time.thread_time() - began < 1
    assert answer.status_code in (202, 400)  # Django overlooks parts without a name
    assert len(answer.content) < A_FEW_KILOBYTES


@pytest.mark.parametrize("path", [SUBMIT, QUICK])
def test_of_many_unknown_names_a_handful_is_named_and_the_others_are_counted(client, path):
    told = client.post(path, OBJECTS["very many names"], content_type="application/json").json()
    assert list(told["errors"]) == [f"k{number}" for number in range(names.HANDFUL)]
    assert f"and so are {NAMES - names.HANDFUL:,} more; there are" in told["detail"]
    assert told["detail"].count("there are") == 1


def test_a_query_of_many_unknown_names_gets_a_small_answer(client):
    answer = client.get("/api/v2/symbols/?" + "&".join(f"k{number}" for number in range(500)))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameters")
    assert "480 more" in answer.json()["detail"]
    assert len(answer.content) < A_FEW_KILOBYTES


def test_faults_of_every_step_are_counted_beyond_a_handful(client):
    steps = [{"task": "market.refresh", "wrong": number} for number in range(50)]
    told = client.post(SUBMIT, json.dumps({"task": "a", "then": steps}), content_type="application/json").json()
    assert len(told["errors"]) == names.HANDFUL + 1
    assert told["errors"]["non_field_errors"] == ["And 30 more."]
