"""Who is connected here: one record for each Socket.IO session of this worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engineio.packet import Packet
from gevent.event import Event

from siocluster.bus.ticket import Ticket


@dataclass(slots=True, eq=False, weakref_slot=True)
class Client:
    """One client in one namespace.

    `pid` is its secret for recovery, empty for a client without; `generation` counts its lives.
    `start` is the number from which on it is connected, None until Redis has said it. `wanted` are
    the rooms (addresses) that the app has put it into; what it gets follows Redis's order, which
    `Channels` keeps. `held` collects what is for it while its replay is not sent yet. A `mute`
    client gets nothing any more: its transport is about to be closed.
    """

    sid: str
    namespace: str
    eio_sid: str
    pid: str = ""
    generation: int = 1
    start: int | None = None
    wanted: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)  # where it gets what is emitted
    due: Ticket | None = None
    held: list[Packet] | None = None
    recovered: bool = False
    replaying: bool = False  # what it missed is being read
    disturbed: bool = False  # and somebody has changed its rooms meanwhile
    mute: bool = False
    superseded: bool = False
    may_return: bool = False  # while accepted, until the client or the app ends it
    ended: Event = field(default_factory=Event)  # its disconnect handler, too

    def settle(self, ticket: Ticket) -> None:
        """What the client is told next comes after this one's reply."""
        self.due = ticket


class Clients:
    """All of them, by sid."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Client] = {}

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._by_sid.values()))

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, client: Client) -> None:
        self._by_sid[client.sid] = client

    def remove(self, client: Client) -> None:
        """Not a later one of the same sid: a life that was taken over may end after that."""
        if self._by_sid.get(client.sid) is client:
            del self._by_sid[client.sid]

    def get(self, sid: str) -> Client | None:
        return self._by_sid.get(sid)
