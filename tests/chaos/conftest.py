"""What more than one scenario stands on."""

from collections.abc import Iterator

import pytest

from tests import valkey
from tests.chaos import stream_ground


@pytest.fixture
def server(tmp_path, settings) -> Iterator[valkey.Server]:
    """The store of the streams, which a test may break, and symbols to stream."""
    stream_ground.track()
    with valkey.standing_on(tmp_path, settings) as server:
        yield server
