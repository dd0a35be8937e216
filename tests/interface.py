"""The interface held against its own document: requests made from it, as guest, user, staff and with a key, with real
names too; within this process, or to a running server.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from datetime import UTC, date, datetime
from unittest import SkipTest

import requests
import schemathesis
from django.contrib.auth import get_user_model
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.config._checks import NEGATIVE_DATA_REJECTION_EXPECTED_STATUSES
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.specs.openapi.checks import positive_data_acceptance

from analysis import screener
from analysis.screener import screens
from finstage.access import keys
from finstage.models import ApiKey
from finstage.wsgi import application
from market import bars, prices, watchlists
from market.models import CorporateAction, DataSource, Symbol
from monitoring import jobs
from monitoring.models import Job, JobTemplate

NOON = datetime(2012, 9, 4, 12, tzinfo=UTC)
OUTSIDE = ("/health/live", "/health/ready", "/metrics", "/api/v2/stream/")  # they answer before Django does
ROLES = ("guest", "user", "staff", "key")
EVENTS = 2  # that are read of an answer which does not end
SECONDS = 30
# What goes with what no document knows in full: the arguments of each job, a target with its kind, a date to
# come, many symbols with many bars, how deep and how long what only pages read may be,
# that a whole number is written without a point.
OF_PARTS = (
    "POST /api/tasks/submit", "POST /api/tasks/templates", "POST /api/tasks/quick/{kind}", "POST /ws/broadcast",
    "POST /api/v2/keys/", "GET /api/v2/bars/", "GET /api/v2/stream/", "PATCH /api/v2/preferences/",
    "POST /api/v2/technical-analysis/batch/indicators", "POST /api/v2/technical-analysis/analysis/comprehensive",
    "GET /api/v2/technical-analysis/indicators/{symbol}",
    "GET /api/v2/screener/", "POST /api/v2/screener/", "POST /api/v2/screens/", "PATCH /api/v2/screens/{screen}/",
    "POST /api/v2/source/pause", "POST /api/v2/replay/", "POST /api/v2/replay/live",
)  # fmt: skip
TASKS = ["sample.add", "sample.open_to_all"]


def furnish() -> dict[str, list[str]]:
    """A little of everything, and its names by the parameter that takes them."""
    owner = get_user_model().objects.get_or_create(username="user")[0]
    DataSource.objects.get_or_create(pk=1, defaults={"name": "replay", "reason": "asked", "chosen_at": NOON})
    bars.upsert(
        prices.Bar("AAPL", "1d", datetime(2012, 3, day, tzinfo=UTC), 1.0, 2.0, 0.5, 1.5, 10, True, "replay", NOON)
        for day in range(1, 30)
    )
    CorporateAction.objects.get_or_create(
        symbol=Symbol.objects.get(ticker="AAPL"),
        kind="split",
        ex_date=date(2012, 3, 9),
        defaults={"value": 2, "source": "replay", "received_at": NOON},
    )
    asked = [jobs.submit("sample.open_to_all", owner=owner), jobs.submit("sample.add", {"a": 1}, owner=owner)]
    Job.objects.filter(pk=asked[0].pk).update(state="failed", error_code="wrong", finished_at=NOON, result={"a": None})
    template = {"name": "mine", "owner": owner, "submission": {"task": "sample.open_to_all"}}
    JobTemplate.objects.get_or_create(name="mine", owner=owner, defaults=template)
    spare = [keys.make(owner, "spare", [ApiKey.READ], None)[0].pk for _ in range(3)]
    return {
        "symbol": ["AAPL"],
        "revised_after": ["2012-06-01T00:00:00Z"],
        "task_id": [str(job.pk) for job in asked],
        "parent": [str(asked[0].pk), str(uuid.uuid4())],
        "name": ["mine"],
        "key_id": [str(pk) for pk in spare],
        "watchlist": ["default", str(_watchlist(owner))],
        "screen": [_screen(owner)],
        "against": ["AAPL"],
        "kind": ["sample"],
        "indicators": ["all", "rsi", "sma_20", "supertrend", "macd_5_35_5"],
        "stream": ["alerts:AAPL", "system"],
        "start": ["2012-03-01", "2012-03-01T14:30:00Z"],
        "end": ["2012-03-09", "2012-03-09T14:30:00+09:00"],
        "as_known_at": ["2012-06-01T00:00:00Z"],
        "exchange": ["XNAS", "xnas"],
    }


def _watchlist(owner) -> int:
    """One that is there now, whatever was asked before."""
    name = f"list {uuid.uuid4()}"
    return int(watchlists.make(owner.pk, name, Symbol.objects.filter(ticker="AAPL")).id)


def _screen(owner) -> str:
    return str(screens.make(owner.pk, f"screen {uuid.uuid4()}", screener.read("close > 1"), is_shared=False).pk)


def without_security(told: dict) -> dict:
    """The same document, which says nothing of keys: else each request brings one that is made up, and all are 401."""
    told = deepcopy(told)
    told["components"].pop("securitySchemes")
    for operations in told["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return told


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
    for shape in ("WatchlistBody", "PatchedWatchlistChange"):
        told["components"]["schemas"][shape]["properties"]["symbols"]["items"] = {"type": "string", "enum": ["AAPL"]}
    return told


def _named(parameter: dict, path: str, names: dict[str, list[str]]) -> dict:
    name, is_list = parameter["name"], parameter["schema"].get("type") == "array"
    if name == "after":  # a row; a place is one of a stream alone
        return {**parameter, "schema": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}}
    if name == "exchange" and not path.endswith("movers/"):  # a filter: none of that name has none
        return parameter
    if name not in names or (name in ("name", "kind", "symbol") and f"{{{name}}}" not in path):
        return parameter
    are_days = parameter["schema"].get("format") == "date"
    one = {"type": "string", "enum": [each for each in names[name] if not (are_days and "T" in each)]}
    return {**parameter, "schema": {"type": "array", "items": one, "minItems": 1} if is_list else one}


def loaded(told: dict, url: str | None = None) -> schemathesis.BaseSchema:
    """What is asked of the server at `url`, or of Django in this process."""
    # An address that is too long is refused whatever is wrong in it.
    refused = [*NEGATIVE_DATA_REJECTION_EXPECTED_STATUSES, "414"]
    config = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": refused}}})
    made = schemathesis.openapi.from_dict(told, config=config)
    if url is not None:
        return made
    made = made.exclude(path=list(OUTSIDE))
    made.app = application
    return made


class Bounded(requests.Session):
    """Reads whole answers, and of one that does not end its first events."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def request(self, *arguments, **options) -> requests.Response:
        answer = super().request(*arguments, **{**options, "stream": True, "timeout": SECONDS, "verify": False})
        if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
            answer._content = _first_events(answer)
            answer.close()
        else:
            _ = answer.content
        return answer


def _first_events(answer: requests.Response) -> bytes:
    told = b""
    for piece in answer.iter_content(None):
        told += piece
        if told.count(b"data: ") >= EVENTS:
            break
    return told


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


def differences(role: str, *, examples: int, are_found: bool, url: str | None = None, only: str = "",
                bounds: bool = True, **known: str) -> list[str]:  # fmt: skip
    """Where an answer is not as documented: the operation, the check, what was asked and what came; each kind once.

    are_found: only what is there is asked for, else anything. url: of a running server, for the whole document. only:
    of this path. bounds: try them too. known: the names of parameters that are there, beside our own.
    """
    names = furnish() | {name: [value] for name, value in known.items()}
    told = without_security(SchemaGenerator().get_schema(request=None, public=True))
    schema, headers = (
        loaded(with_names(told, names) if are_found else told, url),
        {**credentials(role), "Accept-Encoding": "identity"},
    )
    if only:
        schema = schema.include(path=only)
    where = {} if url is None else {"base_url": url, "session": Bounded()}
    found: dict[str, str] = {}

    # What is well formed may still be no cursor, no symbol and no range: it is accepted only where it is there.
    def ask(case: schemathesis.Case) -> None:
        is_accepted = are_found and case.operation.label not in OF_PARTS
        excluded = [] if is_accepted else [positive_data_acceptance]
        try:
            case.call_and_validate(
                headers=headers, excluded_checks=excluded, additional_checks=[code_is_in_the_document], **where
            )
        except FailureGroup as failures:
            for each in failures.exceptions:
                place = (case.operation.label, each.title)
                found.setdefault(
                    place, f"{case.operation.label}: {each.title}\n{each.message}\n{case.as_curl_command()}"
                )

    for result in schema.get_all_operations():
        with one_transaction(), suppress(Unsatisfiable, SkipTest):
            create_test(operation=result.ok(), test_func=ask, config=_thoroughly(schema, examples, bounds=bounds))()
    return list(found.values())


def code_is_in_the_document(_, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """What programs tell refusals by; a method that there is not is no operation's."""
    operation, status = case.operation, str(response.status_code)
    if status < "400" or case.method.upper() != operation.method.upper() or "problem" not in str(response.headers):
        return
    told, of_any = operation.definition.raw["responses"].get(status, {}), operation.schema.raw_schema["info"]
    is_told = any(f"`{response.json()['code']}`" in each["description"] for each in (told, of_any) if each)
    assert is_told, f"{status} {response.json()['code']} is answered; {status} is said to be: {told}"


def _thoroughly(schema: schemathesis.BaseSchema, examples: int, *, bounds: bool) -> HypothesisTestConfig:
    every = [HypothesisTestMode.EXAMPLES, *[HypothesisTestMode.COVERAGE] * bounds, HypothesisTestMode.FUZZING]
    plain = settings(max_examples=examples, derandomize=True, database=None, deadline=None,
                     phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    return HypothesisTestConfig(project=schema.config, modes=every, settings=plain)


def credentials(role: str) -> dict[str, str]:
    """The headers that a browser of this person sends, or a program with a key of staff's."""
    if role == "guest":
        return {}
    user = get_user_model().objects.update_or_create(username=role, defaults={"is_staff": role != "user"})[0]
    if role == "key":
        return {"Authorization": f"Bearer {keys.make(user, role, ApiKey.SCOPES, None)[1]}"}
    browser = Client()
    browser.force_login(user)
    token = "x" * 32
    return {"Cookie": f"sessionid={browser.cookies['sessionid'].value}; csrftoken={token}", "X-CSRFToken": token}
