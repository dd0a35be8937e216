"""A request while it comes in: its head line by line, its body within a limit."""

from tempfile import SpooledTemporaryFile

import h11

from realtime.transports import heads, refusals
from realtime.transports.limits import MEMORY_BYTES, PLAIN_LINE


class Head:
    """The lines of a head, each weighed when it is there."""

    def __init__(self) -> None:
        self._whole = bytearray()
        self._request_line = b""
        self._headers = self._hosts = 0
        self._framing: bytes | None = None
        self.length = 0  # of the body, as the head says it
        self.request_id: str | None = None

    @property
    def is_chunked(self) -> bool:
        return self._framing == b"transfer-encoding"

    @property
    def is_by_head(self) -> bool:
        """Its answer has no body."""
        return self._request_line.startswith(b"HEAD ")

    def take(self, data: bytearray) -> bytes | None:
        """The whole head, or None as long as it is not there. What belongs to it is taken out of the data.

        Raises Refusal.
        """
        while (end := data.find(b"\r\n")) >= 0:
            if len(self._whole) + end > heads.MAX_HEAD_BYTES:
                break
            line = bytes(data[:end])
            del data[: end + 2]
            if self._add(line):
                return bytes(self._whole)
        if len(self._whole) + len(data) > heads.MAX_HEAD_BYTES:
            raise heads.too_long(has_request_line=bool(self._request_line))
        return None

    def _add(self, line: bytes) -> bool:
        """Whether this was the last."""
        if not line and not self._request_line:
            return False  # some clients end a body with an empty line
        if b"\r" in line or b"\n" in line:
            raise refusals.no_request()
        heads.check_line(line)
        if not self._request_line:
            heads.check_request_line(line)
            self._request_line = line
        elif line:
            self._add_header(line)
        self._whole += line + b"\r\n"
        if line:
            return False
        version = self._request_line.rpartition(b" ")[2]
        heads.check_whole(hosts=self._hosts, is_chunked=self.is_chunked, version=version)
        return True

    def _add_header(self, line: bytes) -> None:
        if self._headers >= heads.MAX_HEADERS:
            raise heads.too_many()
        heads.check_header(line, is_framed=self._framing is not None)
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        self._headers += 1
        self._hosts += name == b"host"
        if name in heads.FRAMING:
            self._framing = name
        if name == b"content-length":
            self.length = int(value)
        if name == b"x-request-id":
            self.request_id = value.decode("latin1")


class Body:
    """The bytes of a request's body, as they come."""

    def __init__(self, most: int, head: Head) -> None:
        if head.length > most:
            raise refusals.body_too_large(most)
        self._most, self._is_chunked = most, head.is_chunked
        self._arrived = self._pieces = 0
        self.received = 0
        self._content = SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - closed with its request

    def arrived(self, size: int) -> None:
        """So many bytes came, with what stands beside the content in chunks."""
        self._arrived += size

    def take(self, data: h11.Data) -> None:
        self.received += len(data.data)
        self._pieces += data.chunk_start
        beside = max(0, self._arrived - self.received - PLAIN_LINE * (self._pieces + 1))
        if self.received > self._most or (self._is_chunked and beside > self._most):
            raise refusals.body_too_large(self._most)
        if self._is_chunked:
            refusals.check_chunks(self._pieces, self.received)
        self._content.write(data.data)

    def rewind(self) -> None:
        self._content.seek(0)

    def read(self, size: int) -> tuple[bytes, bool]:
        """The next bytes, and whether there are more."""
        data = self._content.read(size)
        return data, self._content.tell() < self.received

    def close(self) -> None:
        self._content.close()
