"""What a run shall be: its size, its seed, and what the server promises by its settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`rate`: says a second, of all clients. `recovery_seconds`, `recovery_events`: T and N.

    `kinds`: names of the faults to choose from; empty for all. `target`: empty for the chat.
    """

    minutes: float
    seed: int
    workers: int = 3
    clients: int = 100
    rooms: int = 20
    rate: float = 200.0
    fsync: str = "always"
    recovery_seconds: float = 60.0
    recovery_events: int = 1000
    kinds: tuple[str, ...] = ()
    target: str = ""

    @property
    def seconds(self) -> float:
        return self.minutes * 60
