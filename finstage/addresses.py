"""Addresses in settings: which can't work, and under which ones this machine is reached."""

import ipaddress
import socket
from urllib.parse import SplitResult, parse_qs, urlsplit

import psutil

REDIS = "redis://127.0.0.1:6379/0, rediss://… or unix:///path/to/socket"
DATABASE = "mysql://user:password@host:3306/name or sqlite:////path/to/file"
BROKER = (
    "redis://127.0.0.1:6379/1, rediss://…, redis+socket:///path/to/socket, sentinel://… or amqp://user:password@host//"
)
REDIS_SCHEMES = ("redis", "rediss", "unix")
BROKER_SCHEMES = ("redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps", "pyamqp")
EVERYWHERE = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def redis_fault(url: str) -> str:
    """What is wrong with a REDIS_URL, as the rest of a sentence; empty where nothing is."""
    if fault := _fault(url, REDIS_SCHEMES, REDIS):
        return fault
    return _redis_fault(urlsplit(url), REDIS)


def broker_fault(url: str) -> str:
    # A Sentinel's address is a list of servers, which is no host and port.
    if url.startswith("sentinel://"):
        return ""
    if fault := _fault(url, BROKER_SCHEMES, BROKER):
        return fault
    return _redis_fault(urlsplit(url), BROKER) if url.startswith("redis") else ""


def database_fault(url: str) -> str:
    if url.startswith("sqlite://") and (not url.removeprefix("sqlite:").strip("/") or ":memory:" in url):
        return f"names no file, and processes can't share a database in memory; it can be {DATABASE}"
    if fault := _fault(url, ("mysql", "sqlite"), DATABASE):
        return fault
    name = urlsplit(url).path.strip("/")
    return "" if name else f"names no database after the host; it can be {DATABASE}"


def as_broker(redis_url: str) -> str:
    """The same server, as Celery writes it: a socket has another scheme there."""
    if not redis_url.startswith("unix://"):
        return redis_url
    parts = urlsplit(redis_url)
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}"


def origin_fault(origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme in ("http", "https") and parts.netloc and not parts.path.strip("/"):
        return ""
    return f"has {origin!r}, which is no origin; write https://your.name, without a path"


def answering_to(host: str) -> list[str]:
    """What the web answers to that listens on this host, unless ALLOWED_HOSTS says it."""
    own = own_hosts() if host in EVERYWHERE else []
    return [*LOOPBACK, f"[{host}]" if ":" in host else host, *own]


def own_hosts() -> list[str]:
    """The names and addresses by which other machines reach this one, as a browser writes them."""
    found = [socket.gethostname().lower()]
    for addresses in psutil.net_if_addrs().values():
        found += [_written(each.address) for each in addresses if each.family in (socket.AF_INET, socket.AF_INET6)]
    return [host for host in dict.fromkeys(found) if host and host != "localhost"]


def elsewhere(host: str, port: int, allowed: list[str]) -> list[str]:
    """The URLs for other machines, where the web listens on every address of this one."""
    if host not in EVERYWHERE:
        return []
    near = {*LOOPBACK, *EVERYWHERE, "[::]"}
    names = own_hosts() if "*" in allowed else [name for name in allowed if name not in near and name[0] != "."]
    return [f"http://{name}:{port}/" for name in names]


def _written(address: str) -> str:
    """An address as a URL has it; empty for those that only this machine or this cable knows."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.is_loopback or found.is_link_local:
        return ""
    return f"[{found}]" if found.version == 6 else str(found)


def _fault(url: str, schemes: tuple[str, ...], examples: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in schemes:
        return f"begins with {scheme if separator else 'no scheme'!r}; it can be {examples}"
    try:
        _ = urlsplit(url).port
    except ValueError:
        return (
            "can't be read: its port must be a number from 0 to 65535, and /, :, @, #, ? and [ in a password are "
            f"written as %2F, %3A, %40, %23, %3F and %5B. It can be {examples}"
        )
    return ""


def _redis_fault(parts: SplitResult, examples: str) -> str:
    if parts.scheme in ("unix", "redis+socket"):
        name = "db" if parts.scheme == "unix" else "virtual_host"
        database = parse_qs(parts.query).get(name, ["0"])[0]
        is_placed = parts.path.strip("/") and not parts.netloc.rpartition("@")[2]
        where = "" if is_placed else f"names no socket; it can be {examples}"
    else:
        database = parts.path.strip("/") or "0"
        where = "" if parts.hostname else f"names no host; it can be {examples}"
    return where or (
        "" if database.isdecimal() else f"names the database {database!r}, which must be a number, as in /0"
    )
