"""What the half-hourly analysis found is published: of each symbol on its stream, and of the market on `system`.

Once a run: it has its job's id for a batch. What a pass of a recording found is told in that pass alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis import summary
from analysis.reports import runs
from analysis.reports.runs import Run
from market.models import DataSource
from monitoring import lists, redis
from monitoring.loops import Loop
from realtime import events, messages, streams
from realtime.lease import Lease
from realtime.messages import Message


def pass_on(loop: Loop, lease: Lease) -> int:
    """Publish the oldest run, then take it off the list: a crash repeats it. Returns how many.

    What is no run, and what is of a pass that is over, leaves the list too, and is counted as skipped.
    """
    client = redis.client()
    lines = client.lrange(runs.LIST.key, 0, 0)
    for line in lines:
        with loop.one(line):
            _publish(_run(line), lease)
        client.ltrim(runs.LIST.key, 1, -1)
    return len(lines)


def _run(line: bytes) -> Run:
    run = None if lists.is_loss(line) else runs.FORMAT.unpack(line)
    if run is None:
        raise ValueError("this is no run of the analysis")
    return run


def _publish(run: Run, lease: Lease) -> None:
    if run.pass_number not in (None, DataSource.objects.pass_number()):
        raise ValueError(f"it read pass {run.pass_number} of the recording, which is over")
    left = [*_of_symbols(run), messages.analysed(run)]
    while True:
        try:
            published = streams.publish(left, batch=f"analysis:{run.task_id}", lease=lease)
        except streams.Renamed as moved:  # the symbol has another ticker since
            left = [message for message in left if message.stream != moved.stream]
        else:
            events.keep(left, published)
            return


def _of_symbols(run: Run) -> Sequence[Message]:
    """The values that were told last of each symbol, with what the analysis found beside."""
    known: Mapping = summary.latest(run.symbols)
    return [
        replace(messages.indicators(known[ticker], finding=finding), keep=True, conflate=False, aside=True)
        for ticker, finding in run.symbols.items()
        if known[ticker] is not None and known[ticker].session_date is not None
    ]
