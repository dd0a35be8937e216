"""The interface held against its own document: requests made from it, as guest, user and staff, with real names too."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from datetime import UTC, date, datetime
from unittest import SkipTest

import schemathesis
from django.contrib.auth import get_user_model
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.specs.openapi.checks import positive_data_acceptance

from finstage.wsgi import application
from market import bars, prices
from market.models import CorporateAction, DataSource, Symbol
from monitoring import jobs
from monitoring.models import Job, JobTemplate

NOON = datetime(2012, 9, 4, 12, tzinfo=UTC)
OUTSIDE = ("/health/live", "/health/ready", "/metrics")  # they answer before Django does
ROLES = ("guest", "user", "staff")
TASKS = ["sample.add", "sample.open_to_all"]


def furnish() -> dict[str, list[str]]:
    """A little of everything, and its names by the parameter that takes them."""
    owner = get_user_model().objects.get_or_create(username="user")[0]
    DataSource.objects.create(pk=1, name="replay", reason="asked", chosen_at=NOON)
    bars.upsert(
        prices.Bar("AAPL", "1d", datetime(2012, 3, day, tzinfo=UTC), 1.0, 2.0, 0.5, 1.5, 10, True, "replay", NOON)
        for day in range(1, 30)
    )
    CorporateAction.objects.create(
        symbol=Symbol.objects.get(ticker="AAPL"),
        kind="split",
        ex_date=date(2012, 3, 9),
        value=2,
        source="replay",
        received_at=NOON,
    )
    asked = [jobs.submit("sample.open_to_all", owner=owner), jobs.submit("sample.add", {"a": 1}, owner=owner)]
    Job.objects.filter(pk=asked[0].pk).update(state="failed", error_code="wrong", finished_at=NOON, result={"a": None})
    JobTemplate.objects.create(name="mine", owner=owner, submission={"task": "sample.open_to_all"})
    return {
        "symbol": ["AAPL"],
        "task_id": [str(job.pk) for job in asked],
        "parent": [str(asked[0].pk), str(uuid.uuid4())],
        "name": ["mine"],
        "kind": ["sample"],
        "indicators": ["all", "rsi", "sma_20"],
        "start": ["2012-03-01", "2012-03-01T14:30:00Z"],
        "end": ["2012-03-09", "2012-03-09T14:30:00+09:00"],
    }


def with_names(told: dict, names: dict[str, list[str]]) -> dict:
    """The same document, where what must be there is named: what is asked by it is found, and so must be accepted."""
    told = deepcopy(told)
    for path, operations in told["paths"].items():
        for operation in operations.values():
            operation["parameters"] = [_named(each, path, names) for each in operation.get("parameters", [])
                                       if each["name"] != "cursor"]  # fmt: skip
    for shape in ("Submission", "Step", "SubmissionBody", "StepBody"):
        if shape in told["components"]["schemas"]:
            told["components"]["schemas"][shape]["properties"]["task"] = {"type": "string", "enum": TASKS}
    return told


def _named(parameter: dict, path: str, names: dict[str, list[str]]) -> dict:
    name, is_list = parameter["name"], parameter["schema"].get("type") == "array"
    if name not in names or (name in ("name", "kind", "symbol") and f"{{{name}}}" not in path):
        return parameter
    one = {"type": "string", "enum": names[name]}
    return {**parameter, "schema": {"type": "array", "items": one, "minItems": 1} if is_list else one}


def loaded(told: dict) -> schemathesis.BaseSchema:
    made = schemathesis.openapi.from_dict(told).exclude(path=list(OUTSIDE))
    made.app = application
    return made


@contextmanager
def one_transaction() -> Iterator[None]:
    """Requests that stay within the test's own connection, as Django's test client makes them."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def differences(role: str, *, examples: int, are_found: bool) -> list[str]:
    """Where an answer is not as documented: the operation, the check, what was asked and what came; each kind once.

    are_found: only what is there is asked for, else anything.
    """
    names, told = furnish(), SchemaGenerator().get_schema(request=None, public=True)
    schema, headers = loaded(with_names(told, names) if are_found else told), credentials(role)
    found: dict[str, str] = {}

    # What is well formed may still be no cursor, no symbol and no range: it is accepted only where it is there.
    excluded = [] if are_found else [positive_data_acceptance]

    def ask(case: schemathesis.Case) -> None:
        try:
            case.call_and_validate(headers=headers, excluded_checks=excluded)
        except FailureGroup as failures:
            for each in failures.exceptions:
                place = (case.operation.label, each.title)
                found.setdefault(
                    place, f"{case.operation.label}: {each.title}\n{each.message}\n{case.as_curl_command()}"
                )

    for result in schema.get_all_operations():
        with one_transaction(), suppress(Unsatisfiable, SkipTest):
            create_test(operation=result.ok(), test_func=ask, config=_thoroughly(schema, examples))()
    return list(found.values())


def _thoroughly(schema: schemathesis.BaseSchema, examples: int) -> HypothesisTestConfig:
    every = [HypothesisTestMode.EXAMPLES, HypothesisTestMode.COVERAGE, HypothesisTestMode.FUZZING]
    plain = settings(max_examples=examples, derandomize=True, database=None, deadline=None,
                     phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    return HypothesisTestConfig(project=schema.config, modes=every, settings=plain)


def credentials(role: str) -> dict[str, str]:
    """The headers that a browser of this person sends."""
    if role == "guest":
        return {}
    user = get_user_model().objects.update_or_create(username=role, defaults={"is_staff": role == "staff"})[0]
    browser = Client()
    browser.force_login(user)
    token = "x" * 32
    return {"Cookie": f"sessionid={browser.cookies['sessionid'].value}; csrftoken={token}", "X-CSRFToken": token}
