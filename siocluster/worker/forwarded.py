"""Whose forwarded headers count: the client's address and scheme behind a front."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, MutableMapping

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Environ = MutableMapping[str, object]


def trusted_by(entries: tuple[str, ...]) -> Callable[[str], bool]:
    """A test for addresses in `entries`: networks, or `*` for all."""
    if "*" in entries:
        return lambda _address: True
    networks = [ipaddress.ip_network(entry, strict=False) for entry in entries]
    return lambda address: _within(address, networks)


def _within(address: str, networks: list[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)


def apply(environ: Environ, trusted: Callable[[str], bool]) -> None:
    """Put the client's address and scheme into a WSGI environ that a trusted peer sent.

    The client is the last address of X-Forwarded-For that is not itself trusted: whoever is
    before it in the list could have been made up by the client.
    """
    if not trusted(str(environ.get("REMOTE_ADDR", ""))):
        return
    hops = [hop.strip() for hop in str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    addresses = [hop for hop in hops if hop]
    if addresses:
        strangers = [address for address in addresses if not trusted(address)]
        environ["REMOTE_ADDR"] = strangers[-1] if strangers else addresses[0]
    scheme = str(environ.get("HTTP_X_FORWARDED_PROTO", "")).rpartition(",")[2].strip().lower()
    if scheme in ("http", "https"):
        environ["wsgi.url_scheme"] = scheme
