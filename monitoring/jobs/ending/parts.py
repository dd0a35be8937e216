"""A job of parts, such as symbols: whether all of them came, how many did, and why the others did not."""

from collections.abc import Mapping

from monitoring.jobs.errors import printable
from monitoring.models import Job

NAME_LENGTH = 200
REASON_LENGTH = 500


def joined(before: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """Parts by name, each with why it failed or an empty text: what failed once is not done by what else was done."""
    return {**before, **{name: before.get(name) or why for name, why in told.items()}}


def row(parts: Mapping[str, str] | None) -> dict:
    """What the row of a completed job says of its parts; without any it is whole."""
    if not parts:
        return {"outcome": Job.Outcome.WHOLE}
    failed = {printable(name, NAME_LENGTH): printable(why, REASON_LENGTH) for name, why in parts.items() if why}
    return {
        "outcome": Job.Outcome.PARTIAL if failed else Job.Outcome.WHOLE,
        "parts_asked": len(parts),
        "parts_done": sum(not why for why in parts.values()),
        "parts_failed": failed or None,
    }


def told(parts: Mapping[str, str] | None) -> dict:
    """The same in a message: which parts failed is read from the job."""
    said = row(parts)
    return {"outcome": said["outcome"], "done": said.get("parts_done"), "asked": said.get("parts_asked")}
