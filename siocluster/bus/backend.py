"""What `siocluster.rooms` and `siocluster.cluster` stand on: the room bus, or one process alone.

A worker imports the target first and then calls `install` with its room bus, before the first
client connects; without a runner nobody does, and `current` stays the one in memory. An app
registers its functions when it is imported, mostly before `install`, so they are kept here: each
backend reads `joined` and `left` whenever someone comes or goes. Timers it is told: `start` is
called for those of before at `install`, and for each later one when it is registered.
"""

from __future__ import annotations

from typing import Any, Protocol

from siocluster.bus.alone import Alone
from siocluster.bus.positions import Position
from siocluster.bus.values import Announcement, Event, Missed, Person, Room, Timer


class Backend(Protocol):
    """All arguments were checked by the caller; the meaning of each is in `siocluster.rooms`."""

    def history(
        self, room: Room, *, before: Position | None, limit: int, namespace: str
    ) -> list[Event]:
        """The last `limit` events (before a position), oldest first; none for another epoch's."""

    def missed(self, room: Room, *, after: Position, limit: int, namespace: str) -> Missed:
        """The first `limit` events after a position; `complete` says whether none is lacking."""

    def store(
        self,
        event: str,
        data: Any,
        room: Room,
        *,
        message_id: str | None,
        namespace: str,
        skip_sids: tuple[str, ...],
    ) -> str:
        """Emit and store; returns the position. A dict gets it as `data["position"]`.

        `data` is the backend's own copy of JSON values and bytes; `values.arguments` spreads it.
        Raises NotStoredError.
        """

    def keep(self, room: Room, *, events: int, seconds: float, namespace: str) -> None:
        """Keep so much of the room from now on."""

    def arrive(self, room: Room, person: Person, *, sid: str, namespace: str) -> None:
        """`sid` is here as `person`, and no longer as who it was in this room before.

        Nothing happens for a client that has gone. Raises ValueError for one that is connected
        but has not joined the room.
        """

    def members(self, room: Room, *, namespace: str) -> list[Person]:
        """Who is in the room, over all workers, each once."""

    def recovered(self, sid: str, *, namespace: str) -> bool:
        """Whether this connection came back with nothing missed."""

    def state(self) -> str:
        """`live`, `lost` or `alone`."""

    def is_leader(self) -> bool:
        """Whether timers run here now."""

    def start(self, timer: Timer) -> None:
        """Run `timer` from now on, wherever the leader is; returns at once."""

    def close(self) -> None:
        """Another backend takes over: call no function of the app's any more."""


joined: list[Announcement] = []
left: list[Announcement] = []
timers: list[Timer] = []
_current: Backend = Alone(joined=joined, left=left)


def current() -> Backend:
    return _current


def install(backend: Backend) -> None:
    """Let `backend` do from now on what the one before did, which is closed."""
    global _current
    before, _current = _current, backend
    before.close()
    for timer in timers:
        backend.start(timer)


def register_timer(timer: Timer) -> None:
    timers.append(timer)
    _current.start(timer)
