"""Where a host name leads, and whether we go there.

Belongs here: resolving, telling public addresses from private ones. Does not: connecting (network.py).

Feeds may come from others, and a feed or a redirect that names an address of our own network would have us ask it on
their behalf. So the address that is connected to is the one that was looked at, whatever the name leads to later.
"""

import ipaddress
import socket
from typing import Final

from models_ml.feeds.settings import FeedError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def addresses_of(host: str, port: int, allow_private: bool) -> list[tuple[str, int]]:
    """(address, port) to connect to, in the resolver's order.

    Raises FeedError where the name leads nowhere, or, unless `allow_private`, to no public address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FeedError(f"the host {host} is not known") from error
    places = list(dict.fromkeys((str(place[0]), int(place[1])) for *_, place in found))
    chosen = [place for place in places if allow_private or is_public(place[0])]
    if not chosen:
        raise FeedError(f"the host {host} has a private or local address ({places[0][0]}), which is not asked")
    return chosen


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet, also one that stands inside another."""
    address = _inner(ipaddress.ip_address(text.split("%")[0]))
    return address.is_global and not address.is_multicast


def _inner(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, else the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
