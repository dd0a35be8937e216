"""Paces as Prometheus reads them: of all processes together, whichever of them is asked."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from market.sources.pace.shared import Pace
from market.sources.pace.state import BREAKER as BREAKERS
from market.sources.pace.state import State

COUNTERS = {
    "requests": "Requests that left for a source.",
    "waited_seconds": "How long they waited for their slots, together.",
}
GAUGES = {"allowed": "Requests a second that are allowed at most.", "rate": "Requests a second that may leave now."}
REFUSED = "Requests that did not leave: no slot was free in time (full), or the source is left alone (open)."
BREAKER = "1 for what the breaker of a source is, 0 for what it is not."


class Measured(Collector):
    def __init__(self, paces: Iterable[Callable[[], Pace] | None]) -> None:
        """Of those that there are; some sources are asked at will."""
        self._paces = [each for each in paces if each]

    def describe(self) -> list[Metric]:
        """Nothing is asked before somebody reads."""
        return []

    def collect(self) -> Iterator[Metric]:
        states = {pace.provider: pace.state() for pace in (each() for each in self._paces)}
        for kind, texts in ((CounterMetricFamily, COUNTERS), (GaugeMetricFamily, GAUGES)):
            for name, text in texts.items():
                yield _family(kind, name, text, {(source,): getattr(each, name) for source, each in states.items()})
        yield _family(CounterMetricFamily, "refused", REFUSED, _refused(states), "reason")
        yield _family(GaugeMetricFamily, "breaker", BREAKER, _breakers(states), "state")


def _refused(states: dict[str, State]) -> dict[tuple[str, ...], float]:
    told = {source: {"full": each.refused_full, "open": each.refused_open} for source, each in states.items()}
    return {(source, reason): count for source, counts in told.items() for reason, count in counts.items()}


def _breakers(states: dict[str, State]) -> dict[tuple[str, ...], float]:
    return {(source, name): float(each.breaker == name) for source, each in states.items() for name in BREAKERS}


def _family(kind: type, name: str, text: str, values: dict[tuple[str, ...], float], *labels: str) -> Metric:
    family = kind(f"finstage_source_{name}", text, labels=["source", *labels])
    for told, value in values.items():
        family.add_metric(told, value)
    return family
