"""What a site is: the workers of each node, and what the front does for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Balance = Literal["auto", "ip_hash", "least_conn"]
Part = Literal["all", "site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The workers' ports of one master: slot i listens on `host`:`base_port` + i."""

    name: str
    host: str  # an IP address, IPv6 without brackets
    base_port: int
    slots: int

    def server(self, slot: int) -> str:
        return f"{bracketed(self.host)}:{self.base_port + slot}"

    def servers(self) -> list[str]:
        return [self.server(slot) for slot in range(self.slots)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All that the file depends on: two equal sites render to the same bytes.

    Relative paths count from nginx's prefix (`-p`), `certfile` and `keyfile` from the folder of
    the file itself. `user` is nginx's `user` directive, "name" or "name group", and is only for
    a master that runs as root.
    """

    command: str
    bind_host: str
    bind_port: int
    nodes: tuple[Node, ...]
    balance: Balance = "auto"
    socketio_path: str = "/socket.io/"
    static: tuple[tuple[str, str], ...] = ()
    max_body: str = "100m"
    server_name: str = "_"
    certfile: str | None = None
    keyfile: str | None = None
    access_log: str | None = None
    forwarded_allow_ips: tuple[str, ...] = ()
    connections: int = 4096
    user: str | None = None

    def servers(self) -> list[str]:
        return [server for node in self.nodes for server in node.servers()]

    def hosts(self) -> list[str]:
        """The machines, each once: nodes of one machine are cut off together."""
        return list(dict.fromkeys(node.host for node in self.nodes))

    def servers_at(self, host: str) -> list[str]:
        return [server for node in self.nodes if node.host == host for server in node.servers()]


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
