"""Who talks to whom: how clients and rooms lie on the workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

CLIENTS = 40


def spread(ports: Sequence[int], _clients_a_room: int) -> Callable[[int], int]:
    """Neighbours, who share a room, go to different workers."""
    return lambda client: ports[client % len(ports)]


def local(ports: Sequence[int], clients_a_room: int) -> Callable[[int], int]:
    """All of a room go to one worker, the next room to the next."""
    return lambda client: ports[client // clients_a_room % len(ports)]


def lonely(ports: Sequence[int], _clients_a_room: int) -> Callable[[int], int]:
    """All go to the first worker."""
    return lambda _client: ports[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """CLIENTS evenly in rooms, and how many messages a second they say in all."""

    key: str
    words: str
    rooms: int
    rate: float
    place: Callable[[Sequence[int], int], Callable[[int], int]]

    def port_of(self, ports: Sequence[int]) -> Callable[[int], int]:
        return self.place(ports, CLIENTS // self.rooms)


SPREAD = Load(key="spread", words="rooms of 10 spread", rooms=4, rate=150, place=spread)
LOCAL = Load(key="local", words="rooms of 10 local", rooms=4, rate=150, place=local)
LARGE = Load(key="large", words="1 room of 40", rooms=1, rate=50, place=spread)
LONELY = Load(key="lonely", words="all clients on another", rooms=4, rate=150, place=lonely)


def loads(workers: int) -> list[Load]:
    """With one worker all is local."""
    return [SPREAD, LOCAL, LARGE] if workers > 1 else [LOCAL, LARGE]
