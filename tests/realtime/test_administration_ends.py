"""Web processes that die or stop drop out of what is told of the sockets."""

import os
import signal
import time

import pytest

from realtime.transports.servers import SERVERS
from tests.realtime.administered import Operator, socket, webs

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_process_that_was_killed_drops_out_and_one_that_stops_is_out_at_once(django_db_setup, tmp_path):
    with webs(tmp_path, *SERVERS, "daphne") as (killed, stopped, left), Operator(left) as guest:
        with socket(killed), socket(stopped), socket(left):
            guest.until(lambda status: (status["processes"], status["active_connections"]) == (3, 3))
            os.kill(killed.process.pid, signal.SIGKILL)
            begun = time.monotonic()
            stopped.process.terminate()
            guest.until(lambda status: status["processes"] == 2, seconds=4)
            guest.until(lambda status: (status["processes"], status["active_connections"]) == (1, 1))
        assert time.monotonic() - begun < 15
