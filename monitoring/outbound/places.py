"""What an address of the web may look like, and where it leads."""

import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from monitoring.outbound import addresses
from monitoring.outbound.addresses import Address

PORTS = (443, 8443)
LONGEST = 2000
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)
_DOTTED = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?", re.IGNORECASE)


class Refused(ValueError):
    """Nothing is sent there, for the reason that the text gives. It never holds the address' path."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """host: in ASCII, as a certificate names it. address: the one that is connected to; all that the name leads to were
    judged.
    """

    url: str
    host: str
    port: int
    address: Address


def check(url: str) -> None:
    """Whether something could be sent there, without asking what the name leads to. Raises Refused."""
    _parts(url)


def find(url: str) -> Place:
    """Look up where it leads. Raises Refused, and OSError where the name leads nowhere."""
    parts, host, port = _parts(url)
    found = [addresses.read(told[4][0]) for told in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = settings.DELIVERY_ALLOWED_NETWORKS
    are_inside = bool(found) and all(addresses.is_in(each, allowed) for each in found)
    if not are_inside:
        for each in found:
            if not addresses.is_public(each) and not addresses.is_in(each, allowed):
                raise Refused("private_address", f"{host} leads to {each}, which is no public address.")
        if parts.scheme != "https":
            raise Refused("insecure", "It must begin with https://.")
        if port not in PORTS:
            raise Refused("forbidden_port", f"Port {port} is not open here; {PORTS[0]} and {PORTS[1]} are.")
    return Place(url, host, port, found[0])


def _parts(url: str) -> tuple[SplitResult, str, int]:
    """Also refuses what two readers of it could understand differently."""
    if len(url) > LONGEST:
        raise Refused("too_long", f"An address has at most {LONGEST} characters.")
    if any(each <= " " or each in "#\\\x7f" or each.isspace() for each in url):
        raise Refused("invalid_address", "An address has no blanks, fragments, control characters or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("invalid_address", "It is no address of the web.") from error
    if parts.scheme not in ("https", "http") or not url.lower().startswith(f"{parts.scheme}://"):
        raise Refused("insecure", "It must begin with https://.")
    if "@" in parts.netloc:
        raise Refused("credentials", "Names and passwords do not stand in an address.")
    if parts.scheme == "http" and not settings.DELIVERY_ALLOWED_NETWORKS:
        raise Refused("insecure", "It must begin with https://.")
    return parts, _host(parts), port or (443 if parts.scheme == "https" else 80)


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.netloc.startswith("["):
        try:
            return str(addresses.ip_address(host))
        except ValueError as error:
            raise Refused("invalid_address", "It is no address of version 6.") from error
    try:
        plain = host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise Refused("invalid_address", "It names no host.") from error
    if not _NAME.fullmatch(plain) or len(plain) > 253:
        raise Refused("invalid_address", "It names no host.")
    if _NUMERIC.fullmatch(plain) and not (_DOTTED.fullmatch(plain) and plain == host):
        raise Refused("invalid_address", "An address in numbers is written 203.0.113.7.")
    return plain
