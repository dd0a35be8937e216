"""Every number about ourselves that Prometheus reads, defined once. Labels never hold ids, symbols or people."""

import logging
from collections import Counter as Tally
from collections.abc import Iterator

import psutil
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring import loops
from monitoring.latencies import Latency

logger = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REQUESTS = Counter("finstage_requests", "HTTP requests answered.", ["method", "route", "status"])
DURATION = Histogram(
    "finstage_request_duration_seconds",
    "From the arrival of a request to its whole answer, before it is sent.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
GATE_RUNNING = Gauge("finstage_gate_running", "Requests that hold a thread of the HTTP pool.")
GATE_WAITING = Gauge("finstage_gate_waiting", "Requests admitted that wait for a thread.")
GATE_REFUSED = Counter("finstage_gate_refused", "Requests refused before a thread saw them.", ["code"])
GATE_ABANDONED = Counter("finstage_gate_abandoned", "Requests whose client left before the answer.")

CONNECTIONS = Gauge("finstage_connections", "Open connections to the web process, WebSockets too.")
WEBSOCKETS = Gauge("finstage_websocket_connections", "Open WebSockets.")
REPLAYS = Gauge("finstage_replays", "Replays of clients that play or stand still.")
EVENT_STREAMS = Gauge("finstage_event_streams", "Open answers of server-sent events.")
CONNECTIONS_REFUSED = Counter(
    "finstage_connections_refused", "Sockets and event streams refused: that many are open already.", ["limit"]
)
WEBSOCKETS_SLOW = Counter("finstage_websocket_slow_disconnects", "WebSockets dropped because they did not read.")
STREAM_GAPS = Counter("finstage_stream_gaps", "Gaps told to clients: messages of a stream that can't be had again.")
WEBSOCKETS_FLOODING = Counter("finstage_websocket_flood_disconnects", "WebSockets closed for pings or fragments.")
WEBSOCKETS_SILENT = Counter("finstage_websocket_silent_disconnects", "WebSockets closed because they said nothing.")

PRICE_FROM_SOURCE = Latency(
    "finstage_price_from_source_seconds",
    "From the market's time of a new price of an open market to our receipt of it.",
    ["source", "way"],
)
PRICE_TO_CLIENT = Latency(
    "finstage_price_to_client_seconds", "From our receipt of a price to the end of the flush that wrote it to sockets."
)

PRICE_ASKED_AGAIN = Latency(
    "finstage_price_asked_again_seconds",
    "Between two questions about a symbol of an open market of which nothing is streamed.",
    ["source"],
)

UNREADABLE = Counter(
    "finstage_unreadable_values", "Values in Redis that count as absent: another version wrote them.", ["kind"]
)

INDICATORS_REFUSED = Counter(
    "finstage_indicators_refused", "Requests for indicators beyond the usual ones that had no room."
)
INDICATORS_LEFT_OUT = Gauge("finstage_indicators_left_out", "Indicators that are held and not made: they are too many.")
INDICATORS_FAILED = Counter("finstage_indicators_failed", "Indicators of a symbol that broke.", ["indicator"])

CACHE_READS = Counter(
    "finstage_cache_reads",
    "Reads of a named cache: found in the process (front) or among all (shared), waited for, or computed.",
    ["cache", "found"],
)
CACHE_SAVED = Counter("finstage_cache_saved_seconds", "What computing took of what was found or waited for.", ["cache"])
CACHE_BYTES = Gauge("finstage_cache_bytes", "What this process keeps of a named cache.", ["cache"])
CACHE_AWAY = Counter("finstage_cache_away", "Times that what processes share of the caches could not be asked.")

ERRANDS_LOST = Counter(
    "finstage_errands_lost", "Rings and changes of jobs that were dropped or could not be sent.", ["errand"]
)

CPU = Gauge("finstage_system_cpu_percent", "CPU use of the whole machine since the last scrape.")
CPU.set_function(lambda: psutil.cpu_percent(None))
MEMORY = Gauge("finstage_process_memory_bytes", "Resident memory of this process.")
MEMORY.set_function(lambda: psutil.Process().memory_info().rss)


BROKEN = Counter("finstage_metrics_broken", "Metrics that could not be read when they were asked for.")


class Loops(Collector):
    """What the loops of this process had to leave out."""

    def collect(self) -> Iterator[Metric]:
        failed, skipped = Tally(), Tally()
        for loop in loops.running():
            failed[loop.name] += loop.failed
            skipped[loop.name] += loop.skipped
        yield self._family("finstage_loop_failed_turns", "Turns of a loop that broke.", failed)
        yield self._family("finstage_loop_skipped_elements", "Elements that a loop left out.", skipped)

    @staticmethod
    def _family(name: str, text: str, tally: Tally) -> CounterMetricFamily:
        family = CounterMetricFamily(name, text, labels=["loop"])
        for loop, count in tally.items():
            family.add_metric([loop], count)
        return family


REGISTRY.register(Loops())


def exposition() -> bytes:
    """All metrics of this process in Prometheus' text format. What can't be read is left out, logged and counted."""
    return b"".join(map(_told, list(REGISTRY._collector_to_names)))


def _told(collector: Collector) -> bytes:
    try:
        return generate_latest(collector)
    except Exception:  # whatever a gauge's function does, the others are told
        BROKEN.inc()
        logger.exception("a metric can't be read: %s", getattr(collector, "_name", collector))
        return b""
