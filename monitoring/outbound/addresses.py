"""Which addresses the public internet has. Pure.

Python 3.11's `is_global` takes some for public that lead elsewhere: those that hold an address of version 4, and those
of withdrawn or special ranges. Source: the IANA registries of special-purpose addresses, RFC 6890.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER = tuple(
    ip_network(each)
    for each in (
        "::/96",  # IPv4-compatible, with the unspecified one and the loopback
        "::ffff:0:0/96",  # IPv4-mapped: judged as what it holds
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",  # site-local, withdrawn
        "ff00::/8",
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by customers of a carrier
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved and broadcast
    )
)


def read(text: str) -> Address:
    """As a name was resolved to; an interface behind it is left out. Raises ValueError."""
    found = ip_address(text.partition("%")[0])
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def is_public(address: Address) -> bool:
    return address.is_global and not is_in(address, _NEVER)


def is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)
