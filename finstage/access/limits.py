"""Whose a request is: how often somebody may ask is counted by it, as many requests in a minute as the settings say."""

import ipaddress
from functools import lru_cache

from django.conf import settings


def asker(remote: str, forwarded: str) -> str:
    """Whose a request is, by its address: of one that comes through our own proxies, the one that they name.

    forwarded: X-Forwarded-For, to which each proxy adds at the end. What stands before the first stranger is hearsay.
    """
    address = remote
    for hop in reversed(forwarded.split(",")) if forwarded and settings.TRUSTED_PROXIES else ():
        if not _is_proxy(address):
            break
        address = hop.strip()
    return network(address)


@lru_cache(10_000)
def network(address: str) -> str:
    """In IPv6 a person has a whole network."""
    found = _read(address)
    if found is None:
        return address[:64]
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


@lru_cache(1000)
def _is_proxy(address: str) -> bool:
    found = _read(address)
    if found is None:
        return not address  # a Unix socket's other end has none, and is on this machine
    return any(found in each for each in settings.TRUSTED_PROXIES)


def _read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
