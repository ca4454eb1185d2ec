"""Which pages may open a socket, and which address is at its other end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class Origins:
    """An exact list of `scheme://host[:port]`; `*` admits any page. Raises ValueError for what is neither."""

    def __init__(self, allowed: Iterable[str], *, allow_missing: bool) -> None:
        listed = set(allowed)
        self._any = "*" in listed
        self._allowed = frozenset(_listed(origin) for origin in listed - {"*"})
        self._allow_missing = allow_missing

    def admits(self, origin: str | None, *, host: str) -> bool:
        """`host` is the request's Host header: its own pages always may.

        The scheme is not compared with the server's own, which does not know it behind a TLS proxy.
        """
        if origin is None:
            return self._allow_missing
        parts = _split(origin)
        if self._any or parts is None:
            return self._any
        return parts in self._allowed or parts == _split(f"{parts[0]}://{host}")


def _listed(origin: str) -> tuple[str, str, int]:
    parts = _split(origin.rstrip("/"))
    if parts is None:
        raise ValueError(f"{origin!r} is not an origin: write https://shop.example or *.")
    return parts


def _split(origin: str) -> tuple[str, str, int] | None:
    try:
        url = urlsplit(origin)
        port = url.port or _PORTS.get(url.scheme, 0)
    except ValueError:
        return None
    if not url.scheme or not url.hostname or url.path or url.query or url.fragment or "@" in url.netloc:
        return None
    return url.scheme, url.hostname, port


class Peers:
    """The client's address. Of X-Forwarded-For only what trusted proxies added is believed.

    Raises ValueError for a proxy that is neither an address nor a network.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = tuple(ip_network(proxy) for proxy in trusted)

    def of(self, remote: str | None, *, forwarded: Sequence[str]) -> str:
        """A key for limits: the address, or of IPv6 its /64, which is what one customer has."""
        address = _address(remote or "")
        hops = [hop for line in forwarded for hop in line.split(",")]
        while address and hops and any(address in network for network in self._trusted):
            address = _address(hops.pop())
        if isinstance(address, IPv6Address):
            return str(ip_network((address, 64), strict=False))
        return str(address) if address else "unknown"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
