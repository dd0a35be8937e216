"""What jobs there are: each declared once, by the app that owns the work, in its `tasks` module.

A declaration is cheap to import. Where the work needs heavy modules, `body` names the function that does it, and only
the worker that runs it imports them:

    @job("analysis.backtest", isolated=True, body="analysis.backtests.run")
    def backtest(symbol: str, strategy: str) -> dict: ...
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import Any, Literal

from asgiref.sync import async_to_sync
from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules, import_string

from monitoring.jobs.arguments import Arguments
from monitoring.jobs.database import may_pass
from monitoring.jobs.errors import InvalidArguments, UnknownJob, printable
from monitoring.jobs.running.context import current
from monitoring.models import Priority

LOOK_SECONDS = 0.2  # between two looks whether an async body must stop
GRACE_SECONDS = 2.0  # for what it still does when it is cancelled
SUBJECT_LENGTH = 200

_declared: dict[str, "Declaration"] = {}
_conditions: dict[str, Callable[..., bool]] = {}
_checks: dict[str, Callable[..., dict[str, list[str]]]] = {}


@dataclass(frozen=True)
class Schedule:
    """A row that every new database begins with; from then on the row counts, and the admin may change it."""

    crontab: str
    time_zone: str = "UTC"
    arguments: dict = field(default_factory=dict)
    only_if: str = ""
    only_if_arguments: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """How a job is run, unless its submission says otherwise.

    backoff_seconds: the first wait before a retry; doubles each time, with jitter.
    temporary: errors worth another attempt, beside those with a true attribute `temporary` and those of a database
    that is away or locked.
    isolated: in a process of its own, killed at the deadline.
    max_attempts: the first one and, at most, three more, as the original service had it.
    about: the argument that says what the job is about. spelled: for what people write of it, how we write that, where
    it is anything we know. audience: who may submit it through the API; "behalf": staff, and what we submit ourselves
    in anybody's name runs too. quick: its names under /api/tasks/quick/, and the arguments that each of them means.
    title: what people call it, and says: what it does, both for them in their own language; without them its name and
    its docstring stand.
    """

    priority: Priority = Priority.NORMAL
    timeout_seconds: int = 300
    max_attempts: int = 4
    backoff_seconds: float = 2.0
    temporary: tuple[type[Exception], ...] = ()
    isolated: bool = False
    about: str = ""
    spelled: Callable[[list[str]], dict[str, str]] | None = None
    audience: Literal["staff", "behalf", "user"] = "staff"
    quick: dict[str, dict] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()
    title: Promise | str = ""
    says: Promise | str = ""


class Declaration:
    """A declared job. Called like the function it wraps, it does the work here and now, without a row.

    Raises InvalidArguments.
    """

    def __init__(self, name: str, function: Callable, rules: Rules, body: str) -> None:
        update_wrapper(self, function)
        self.name, self.function, self.rules, self.body = name, function, rules, body
        self.arguments = Arguments(function)
        if rules.about and rules.about not in self.arguments.kinds:
            raise TypeError(f"{name}: there is no argument {rules.about} for it to be about")

    def __call__(self, *args: object, **kwargs: object) -> Any:
        asked = inspect.signature(self.function).bind_partial(*args, **kwargs).arguments
        self.check(asked)
        return self.work(asked)

    def work(self, values: dict) -> Any:
        """The same with arguments that were checked, as those of a claimed job were."""
        asked = self.arguments.defaults | values
        function = import_string(self.body) if self.body else self.function
        if inspect.iscoroutinefunction(function):
            return async_to_sync(_until_stopped)(function(**asked))
        return function(**asked)

    def check(self, values: dict) -> None:
        """Raises InvalidArguments naming each field that is wrong."""
        if errors := self.arguments.errors(values):
            told = "; ".join(f"{name} {messages[0]}" for name, messages in errors.items())
            raise InvalidArguments(f"{self.name}: {told}"[:500], errors)

    def about(self, values: dict) -> tuple[str, list[str]]:
        """What a job with these arguments is about, in a line that may be too short for all of it; and each of that in
        capitals, where the line does not say just that.
        """
        named = self._named(values)
        line = printable(",".join(named), SUBJECT_LENGTH)
        subjects = list(dict.fromkeys(printable(each.strip().upper(), SUBJECT_LENGTH).rstrip() for each in named))
        return line, [] if subjects == [line] else [each for each in subjects if each]

    def allows(self, user: Any) -> bool:
        """Whether this user may ask for it."""
        return user.is_active and (user.is_staff or self.rules.audience == "user")

    def runs_for(self, user: Any) -> bool:
        """Whether it runs where it is this user's, who may not have asked for it by name."""
        return self.allows(user) or (user.is_active and self.rules.audience == "behalf")

    def _named(self, values: dict) -> list[str]:
        about = values.get(self.rules.about) if self.rules.about else None
        said = [str(each) for each in (about if isinstance(about, list) else [about]) if each is not None]
        ours = self.rules.spelled(said) if said and self.rules.spelled else {}
        return [ours.get(each, each) for each in said]


async def _until_stopped(body: Awaitable[Any]) -> Any:
    """An async body's result. Whatever it awaits is a checkpoint: it is cancelled there where the job must stop."""
    task, running = asyncio.ensure_future(body), current()
    while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
        if running.must_stop:
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE_SECONDS)
            running.checkpoint()
    return task.result()


def job(name: str, *, body: str = "", priority: str = "normal", timeout: int = 300, **rules: Any) -> Callable:
    """Declare the decorated function, sync or async, as the job of this name. See Rules for the rest.

    An async body reaches the database, also `current().commit()` and `submit`, through asgiref's sync_to_async.
    """

    def declare(function: Callable) -> Declaration:
        if name in _declared and _declared[name].function.__module__ != function.__module__:
            raise TypeError(f"the job {name} is declared twice: {_declared[name].__module__}, {function.__module__}")
        made = Rules(priority=Priority[priority.upper()], timeout_seconds=timeout, **rules)
        _declared[name] = Declaration(name, function, made, body)
        return _declared[name]

    return declare


def condition(name: str, *, check: Callable[..., dict[str, list[str]]] | None = None) -> Callable:
    """Give the decorated function, which answers yes or no, a name that submissions and schedules may ask by.

    check: takes the same arguments and says by name what is wrong with them, such as one that can never be true.
    """

    def declare(function: Callable[..., bool]) -> Callable[..., bool]:
        _conditions[name] = function
        _checks[name] = check or (lambda **_: {})
        return function

    return declare


def conditions() -> dict[str, Callable[..., bool]]:
    return dict(sorted(_conditions.items()))


def discover() -> None:
    """Load the `tasks` module of every app, where jobs are declared."""
    autodiscover_modules("tasks")


def everything() -> dict[str, Declaration]:
    return dict(sorted(_declared.items()))


def quick(name: str) -> tuple[Declaration, dict] | None:
    """The job behind a path of /api/tasks/quick/, and the arguments that the path means."""
    return next(((each, each.rules.quick[name]) for each in _declared.values() if name in each.rules.quick), None)


def is_temporary(error: BaseException, rules: Rules | None = None) -> bool:
    """Whether another attempt can help: the error says so, the job's rules do, or the database may be better then."""
    listed = isinstance(error, rules.temporary if rules else ()) or may_pass(error)
    return getattr(error, "temporary", listed) is True


def knows(name: str, condition: object, arguments: object) -> bool:
    """Whether a job of this name, under this condition and with these arguments, can be run here: all of it may be of a
    newer version.
    """
    return not unknown(name, condition, arguments)


def unknown(name: str, condition: object, arguments: object) -> str:
    """What of such a job can't be understood here; empty where all can."""
    if name not in _declared:
        return name
    if _declared[name].arguments.errors(arguments):
        return f"the arguments of some {name}"
    return "" if condition is None or _is_known(condition) else f"the condition of some {name}"


def _is_known(condition: object) -> bool:
    """Any JSON may stand in a row: what is no condition as we write them is unknown like a newer one."""
    if not isinstance(condition, dict) or condition.keys() != {"name", "arguments"}:
        return False
    name = condition["name"]
    asked_by = _conditions.get(name) if isinstance(name, str) else None
    return asked_by is not None and not Arguments(asked_by).errors(condition["arguments"])


def spelling(word: str) -> str:
    """How we write a word, where it is anything that jobs are about."""
    ways = {each.rules.spelled for each in _declared.values() if each.rules.spelled}
    return next((ours for way in ways for ours in way([word]).values()), word)


def find(name: str) -> Declaration | None:
    return _declared.get(name)


def named(name: str) -> Declaration:
    if name not in _declared:
        raise UnknownJob(f"There is no job {str(name)[:100]!r}.", {"task": ["is unknown"]})
    return _declared[name]


def holds(asked: dict | None) -> bool:
    """Whether a condition, {"name", "arguments"}, is true now. No condition always is."""
    return asked is None or bool(_conditions[asked["name"]](**asked["arguments"]))


def condition_asked(asked: dict | None) -> dict | None:
    """A condition as a submission names it, {"name", "arguments"}, checked."""
    if asked is None:
        return None
    name = asked.get("name") if isinstance(asked, dict) else None
    if not isinstance(name, str) or name not in _conditions:
        known = ", ".join(sorted(_conditions)) or "none"
        raise InvalidArguments("There is no such condition.", {"only_if": [f"is unknown; there are: {known}"]})
    if unknown := sorted(asked.keys() - {"name", "arguments"}):
        told = {f"only_if.{each}": ["is unknown; there are name, arguments"] for each in unknown}
        raise InvalidArguments(f"The condition says {', '.join(unknown)}; there are name, arguments.", told)
    arguments = asked.get("arguments", {})
    if errors := Arguments(_conditions[name]).errors(arguments) or _checks[name](**arguments):
        placed = {f"only_if.arguments.{field}": messages for field, messages in errors.items()}
        told = "; ".join(f"{field} {messages[0]}" for field, messages in placed.items())
        raise InvalidArguments(f"The condition cannot be asked: {told}"[:500], placed)
    return {"name": name, "arguments": arguments}
