"""Where something listens."""

from __future__ import annotations

from dataclasses import dataclass

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """A host, IPv6 without brackets, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def reachable(host: str) -> str:
    """Where this machine reaches what listens on `host`: the loopback, if that is every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
