"""`--nodes a=10.0.0.1:6001-6008,b=10.0.0.2:6001-6008`: text to nodes."""

from __future__ import annotations

import ipaddress
import itertools
import re

from siocluster.address import HIGHEST_PORT
from siocluster.errors import SettingsError
from siocluster.front.site import Node, bracketed

FORM = re.compile(r"(?P<name>[^=]*)=(?P<host>\[[^]]*]|[^:]*):(?P<first>\d+)(?:-(?P<last>\d+))?")
NAME = re.compile(r"[a-z0-9]{0,7}[a-z]")
MOST_SLOTS = 1024


def parse_nodes(text: str) -> tuple[Node, ...]:
    """The nodes that `text` names, in its order; raises SettingsError naming the faulty one."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise SettingsError("--nodes names no node.", hint=_hint())
    nodes = tuple(_node(part) for part in parts)
    for one, other in itertools.combinations(nodes, 2):
        _refuse_clash(one, other)
    return nodes


def _node(part: str) -> Node:
    found = FORM.fullmatch(part)
    if not found:
        raise SettingsError(f"--nodes {part} is not NAME=ADDRESS:FIRST-LAST.", hint=_hint())
    first, last = int(found["first"]), int(found["last"] or found["first"])
    _check_name(part, found["name"])
    _check_ports(part, first, last)
    host = _address(part, found["host"])
    return Node(name=found["name"], host=host, base_port=first, slots=last - first + 1)


def _check_name(part: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise SettingsError(
            f"--nodes {part}: a node's name has 1 to 8 of a-z and 0-9, the last one a letter.",
            hint="Write the name that each machine's master was given as --node.",
        )


def _check_ports(part: str, first: int, last: int) -> None:
    if not 1 <= first <= last <= HIGHEST_PORT:
        raise SettingsError(
            f"--nodes {part}: ports go upwards, from 1 to {HIGHEST_PORT}.", hint=_hint()
        )
    if last - first >= MOST_SLOTS:
        raise SettingsError(f"--nodes {part}: a node has at most {MOST_SLOTS} slots.")


def _address(part: str, host: str) -> str:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        raise SettingsError(
            f"--nodes {part}: {host or 'nothing'} is not an IP address.",
            hint="nginx reads a name once, at its start: write the address, IPv6 in brackets.",
        ) from None


def _refuse_clash(one: Node, other: Node) -> None:
    if one.name == other.name:
        raise SettingsError(
            f"--nodes names {one.name} twice.",
            hint="Session ids carry the name: each master needs a --node of its own.",
        )
    if shared := sorted({*one.servers()} & {*other.servers()}):
        raise SettingsError(
            f"--nodes gives {shared[0]} to both {one.name} and {other.name}.",
            hint=f"Choose ports at {bracketed(one.host)} that do not overlap.",
        )


def _hint() -> str:
    return "For example: --nodes a=10.0.0.1:6001-6008,b=10.0.0.2:6001-6008"
