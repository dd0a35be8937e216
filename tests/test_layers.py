"""One rule: calls go down, values come back up. And what is pure stays pure."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Each may import itself and those to its right.
LAYERS = ["finstage", "realtime", "analysis", "market", "monitoring"]
PURE = [
    "market/prices.py",
    "market/intervals.py",
    "market/bars/batch.py",
    "market/bars/checks.py",
    "market/bars/resampling/hours.py",
    "market/bars/resampling/openings.py",
    "market/bars/resampling/states.py",
    "market/bars/resampling/values.py",
    "market/bars/wire/fields.py",
    "market/bars/wire/rounding.py",
    "market/actions/adjustments.py",
    "market/player/clock.py",
    "market/player/finer.py",
    "market/player/held.py",
    "market/player/reach.py",
    "market/player/sessions.py",
    "market/calendars/table.py",
    "market/calendars/facts.py",
    "market/sources/yahoo/charts/history.py",
    "market/sources/yahoo/charts/candles.py",
    "market/sources/yahoo/charts/days.py",
    "market/sources/yahoo/charts/events/cash.py",
    "market/sources/yahoo/charts/events/held.py",
    "market/sources/yahoo/charts/events/restating.py",
    "market/sources/yahoo/charts/events/told.py",
    "market/sources/yahoo/charts/identity.py",
    "market/sources/yahoo/charts/precision.py",
    "market/sources/yahoo/charts/quotes.py",
    "market/sources/yahoo/charts/units.py",
    "market/sources/yahoo/fields.py",
    "market/sources/yahoo/figures/told.py",
    *(
        f"analysis/indicators/entries/{name}.py"
        for name in (
            "averages",
            "bands",
            "levels",
            "mathematics",
            "momentum",
            "patterns",
            "trend",
            "volatility",
            "volume",
        )
    ),
    *(
        f"analysis/conditions/{name}.py"
        for name in (
            "evaluating",
            "extremes",
            "reading",
            "schema",
            "texts",
            "tree",
            "truth",
            "values",
            "vocabulary",
        )
    ),
    *(f"analysis/signals/{name}.py" for name in ("catalogue", "divergence", "patterns", "rating", "rule", "rules")),
    "analysis/seen/comparing.py",
    "analysis/against/closes.py",
    "analysis/indicators/entry.py",
    "analysis/indicators/series.py",
    "analysis/indicators/undefined.py",
    "analysis/conformance/certificates.py",
    "analysis/conformance/formulas.py",
    "analysis/conformance/references.py",
    "analysis/indicators/live.py",
    "analysis/indicators/across/slots.py",
    "analysis/indicators/across/recursions.py",
    "analysis/indicators/across/twins.py",
    "analysis/indicators/across/table.py",
    "analysis/indicators/catalogue.py",
    "analysis/periods.py",
    "analysis/reports/remarks.py",
    "analysis/reports/statistics.py",
    "realtime/conditions.py",
    "monitoring/outbound/addresses.py",
]
# Django, our rows and connections, the network, and other processes.
IMPURE_MODULES = {
    *("django", "rest_framework", "channels", "celery", "redis", "psutil"),
    *("socket", "ssl", "http", "urllib", "asyncio", "websockets", "curl_cffi", "yfinance", "aiohttp"),
    *("subprocess", "threading", "random", "secrets"),
}
IMPURE_OURS = {"models", "redis", "quotes", "bars", "queries", "streams", "symbols", "heartbeats", "metrics"}
CLOCKS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now"),
    *("time.time", "time.monotonic", "time.perf_counter", "time.sleep", "time.time_ns"),
}
YAHOO = "market/sources/yahoo/asking.py"
TOP_LEVEL = [path for name in LAYERS for path in sorted((ROOT / name).rglob("*.py")) if "migrations" not in path.parts]

# Every folder of these apps.
HOUSES = sorted(
    {str(path.parent.relative_to(ROOT)) for path in TOP_LEVEL if path.parts[len(ROOT.parts)] in ("market", "analysis")}
)


def test_the_layers_have_code():
    assert all(any(path.is_relative_to(ROOT / name) for path in TOP_LEVEL) for name in LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_an_app_imports_itself_and_those_to_its_right(layer):
    higher = set(LAYERS[: LAYERS.index(layer)])
    upward = [f"{_name(path)} imports {name}" for path, name in _imports_of(layer) if name.split(".")[0] in higher]
    assert not upward


@pytest.mark.parametrize("house", HOUSES)
def test_the_rooms_of_a_folder_stand_one_above_the_other(house):
    """A room is a file or a folder with all that it holds; those that ask in a circle can't be read alone."""
    below = {room: {other for other in _asked(room, house) if other != room} for room in _rooms(house)}
    try:
        TopologicalSorter(below).prepare()
    except CycleError as circle:
        pytest.fail(" asks ".join(reversed(circle.args[1])))


@pytest.mark.parametrize("house", HOUSES)
def test_a_folder_can_be_seen_at_a_glance(house):
    assert len(list((ROOT / house).glob("*.py"))) <= 10


@pytest.mark.parametrize("layer", LAYERS)
def test_no_function_imports(layer):
    nested = [
        f"{_name(path)}:{node.lineno}"
        for path in _files(layer)
        for function in ast.walk(_tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not nested


def test_one_module_imports_yfinance():
    users = {_name(path) for layer in LAYERS for path, name in _imports_of(layer) if name.split(".")[0] == "yfinance"}
    assert users == {YAHOO}


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_knows_no_django_no_clock_and_no_network(name):
    path = ROOT / name
    pure = tuple(each.removesuffix(".py").replace("/", ".") + "." for each in PURE)
    modules = [module for module, _ in _imports(path) if not f"{module}.".startswith(pure)]
    assert not [module for module in modules if module.split(".")[0] in IMPURE_MODULES]
    assert not [module for module in modules if module.split(".")[0] in LAYERS and IMPURE_OURS & set(module.split("."))]
    assert not [call for call in _calls(path) if call in CLOCKS or call in {"open", "input", "print"}]


@pytest.mark.parametrize("layer", LAYERS)
def test_nobody_takes_a_sessions_date_from_an_instant(layer):
    """It is the exchange's own; an opening's date in UTC may be another day's."""
    knows = {"market/prices.py", "market/intervals.py"}
    assert not [_name(path) for path in _files(layer) if "opened_at.date" in _calls(path) and _name(path) not in knows]


@pytest.mark.parametrize("layer", LAYERS)
def test_bars_actions_and_coverage_have_one_door_each(layer):
    """Who comes after them must find few places: a clock up to which they are read, a version that they have."""
    rows = {"Bar", "BarRevision", "CorporateAction", "SupersededAction", "Coverage"}
    rooms = [f"market/{room}/" for room in ("bars", "actions", "coverage", "history")]
    reaching = [
        f"{_name(path)}:{node.lineno}"
        for path in _files(layer)
        if not _name(path).startswith(tuple(rooms))
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}
        if _dotted(node.value).split(".")[-1] in _called(path, "market.models", rows)
    ]
    assert not reaching


@pytest.mark.parametrize("layer", LAYERS)
def test_no_app_listens_to_another_by_django_signals(layer):
    assert not [_name(path) for path, name in _imports_of(layer) if name.startswith("django.dispatch")]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_module_is_named_after_what_is_inside(layer):
    vague = {"utils", "helpers", "services", "managers", "base", "common"}
    assert not [_name(path) for path in _files(layer) if path.stem in vague or path.parent.name in vague]


def _rooms(house: str) -> set[str]:
    found = {path for path in TOP_LEVEL if path.is_relative_to(ROOT / house) and path.name != "__init__.py"}
    return {path.relative_to(ROOT / house).parts[0].removesuffix(".py") for path in found}


def _asked(room: str, house: str) -> set[str]:
    """The rooms of a house that one of them imports."""
    dotted, place = house.replace("/", "."), ROOT / house / room
    files = [path for path in TOP_LEVEL if path.is_relative_to(place) or path == place.with_suffix(".py")]
    names = [
        name.removeprefix(f"{dotted}.").split(".")[0]
        for path in files
        for name, _ in _imports(path)
        if name.startswith(f"{dotted}.")
    ]
    return set(names) & _rooms(house)


def _files(layer: str) -> list[Path]:
    return [path for path in TOP_LEVEL if path.is_relative_to(ROOT / layer)]


def _imports_of(layer: str) -> Iterator[tuple[Path, str]]:
    for path in _files(layer):
        for name, _ in _imports(path):
            yield path, name


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, also by `from package import module` and import_string("…")."""
    package = list(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] in {"import_string", "import_module"}:
            yield from ((argument.value, node.lineno) for argument in node.args if _is_text(argument))


def _calls(path: Path) -> list[str]:
    """The last two names of every call: `datetime.now` however datetime was imported."""
    return [
        ".".join(_dotted(node.func).split(".")[-2:]) for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)
    ]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _called(path: Path, module: str, names: set[str]) -> set[str]:
    """What a file calls these names of a module and its parts, and the names themselves."""
    aliases = {
        alias.asname
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(module)
        for alias in node.names
        if alias.asname and alias.name in names
    }
    return names | aliases


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))
