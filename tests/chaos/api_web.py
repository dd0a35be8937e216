"""A web process with the tests' jobs, and with an operation that breaks where that is asked for."""

import runpy
import sys

from tests import ready  # noqa: F401 - isort: skip - first, as in every process of ours
from finstage.access import door
from monitoring.limits import Limit
from realtime.api.sockets import Status
from tests.chaos.defences import put, take_away
from tests.monitoring import sample_jobs  # noqa: F401


def without_status() -> None:
    """One operation of all breaks."""

    def get(self: Status, request: object) -> None:
        raise RuntimeError("broken on purpose")

    put(Status, "get", get)


if __name__ == "__main__":
    take_away(globals())
    put(door, "_wrong", Limit("wrong-keys", 0))  # whose a wrong key is, is asked more often than a person may
    sys.argv = ["manage.py", "web", *sys.argv[1:]]
    runpy.run_path("manage.py", run_name="__main__")
