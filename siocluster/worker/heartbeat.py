"""The heartbeat: a sign of life for the master, with the counts of who came and went."""

from __future__ import annotations

from dataclasses import dataclass, field

import gevent
from gevent.event import Event

from siocluster.wire import Beat
from siocluster.worker.pipe import Pipe

COALESCE_SECONDS = 0.05  # a storm of connects makes one beat


@dataclass(slots=True)
class Clients:
    """Engine.IO sessions since boot. `disconnects` cannot pass `connects`."""

    connects: int = 0
    disconnects: int = 0
    changed: Event = field(default_factory=Event)

    def connected(self) -> None:
        self.connects += 1
        self.changed.set()

    def disconnected(self) -> None:
        self.disconnects = min(self.disconnects + 1, self.connects)
        self.changed.set()


def beat_for_ever(pipe: Pipe, clients: Clients, *, seconds: float) -> None:
    """Beat at least every `seconds`, sooner when a client came or went.

    A greenlet and not a thread: a thread would go on beating while the hub is blocked.
    """
    while True:
        pipe.send(Beat(connects=clients.connects, disconnects=clients.disconnects))
        clients.changed.wait(timeout=seconds)
        gevent.sleep(COALESCE_SECONDS)
        clients.changed.clear()
