"""What is on its way to Redis: commands that wait to be sent, and those sent but not answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from siocluster.bus.ticket import Ticket
from siocluster.errors import NotStoredError

WINDOW = 1024  # commands in flight; the script remembers more of a worker's
LARGEST_WRITE = 1 << 18
# Of no use once the connection is lost.
MOMENTARY = frozenset({"beat", "greet", "heads", "tell"})
Pack = Callable[[Ticket], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What may wait while Redis is away: commands, bytes, and for how long (seconds)."""

    commands: int = 1000
    bytes: int = 8 << 20
    seconds: float = 30.0


class Outbox:
    """In order. Beside tickets it takes bare commands, which have no reply (SUBSCRIBE)."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._unsent: deque[Ticket | bytes] = deque()
        self._sent: deque[Ticket] = deque()
        self._bytes = 0

    # In

    def add(self, ticket: Ticket, *, first: bool) -> None:
        """`first`: before all that has not been sent yet, but behind what is sent again, and behind
        a subscription that waits."""
        self._bytes += ticket.size
        if not first:
            self._unsent.append(ticket)
            return
        ahead = (at for at, item in enumerate(self._unsent) if _goes_ahead(item))
        self._unsent.insert(max(ahead, default=-1) + 1, ticket)

    def greet(self, ticket: Ticket) -> None:
        """The first command of a connection."""
        ticket.resent = True
        self._unsent.appendleft(ticket)

    def add_bare(self, command: bytes) -> None:
        self._unsent.append(command)

    def check_room(self, size: int) -> None:
        """Raise NotStoredError when so much waits for an absent Redis that no more may."""
        waiting = len(self._unsent) + len(self._sent)
        if waiting >= self.bounds.commands or self._bytes + size > self.bounds.bytes:
            raise NotStoredError(
                "Redis is away, and as much as may wait for it does already.",
                hint="Try again once it is back; siocluster.rooms.state() tells.",
            )

    # Out

    def batch(self, pack: Pack) -> bytes:
        """The next bytes to write; what is in them is in flight from now on."""
        pieces: list[bytes] = []
        size = 0
        while self._unsent and len(self._sent) < WINDOW and size < LARGEST_WRITE:
            piece = self._next(pack)
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def _next(self, pack: Pack) -> bytes:
        item = self._unsent.popleft()
        if not isinstance(item, Ticket):
            return item
        self._bytes -= item.size
        self._sent.append(item)
        return pack(item)

    def answered(self) -> Ticket:
        """The oldest in flight: replies come in the order of the commands."""
        return self._sent.popleft()

    @property
    def waits(self) -> bool:
        """Whether something is to be sent."""
        return bool(self._unsent)

    def give_up(self, ticket: Ticket) -> None:
        """Its caller waits no more: it is not sent, or not again."""
        ticket.wanted = False
        if ticket in self._unsent:
            self._unsent.remove(ticket)
            self._bytes -= ticket.size

    # Loss of the connection

    def lost(self) -> None:
        """What was in flight is to be sent again, in its order, before the rest.

        What is of no use on the next connection is forgotten, and who waits for it is told.
        """
        sent, unsent = self._sent, self._unsent
        tickets = [one for one in (*sent, *unsent) if isinstance(one, Ticket)]
        for ticket in sent:
            ticket.resent = True
        self._sent = deque()
        self._unsent = deque(one for one in tickets if one.wanted and one.name not in MOMENTARY)
        self._bytes = sum(one.size for one in self._unsent if isinstance(one, Ticket))
        for ticket in tickets:
            if ticket.name in MOMENTARY:
                ticket.fail(NotStoredError("Redis was lost before it answered."))

    def last(self) -> Ticket | None:
        waiting = (*reversed(self._unsent), *reversed(self._sent))
        return next((item for item in waiting if isinstance(item, Ticket)), None)


def _goes_ahead(item: Ticket | bytes) -> bool:
    return not isinstance(item, Ticket) or item.resent
