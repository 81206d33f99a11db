"""Who is in which room: small rooms of a handful, and two halls whose members are everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.chaos.plan import Plan

HALLS = 2
SLEEPERS = 6  # live in a process of their own, which can be stopped
THROUGH_DOOR = 4  # one client in so many comes through the proxy before nginx
WITH_POLLING = 5  # one in so many begins with polling, as the stock client does by default
WITH_TWO_ROOMS = 3  # one in so many is in a second small room


class Group(Enum):
    """What faults can do to a client by itself."""

    STEADY = "steady"
    DOOR = "door"
    SLEEPER = "sleeper"


@dataclass(frozen=True, slots=True)
class Room:
    """`index` is that of message ids."""

    index: int
    name: str
    hall: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One client."""

    client: int
    group: Group
    rooms: tuple[Room, ...]
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    rooms: tuple[Room, ...]
    people: tuple[Person, ...]

    def members(self) -> dict[str, list[int]]:
        """The clients of each room."""
        return {
            room.name: [person.client for person in self.people if room in person.rooms]
            for room in self.rooms
        }

    def clients(self, *groups: Group) -> frozenset[int]:
        return frozenset(person.client for person in self.people if person.group in groups)


def roster(plan: Plan) -> Roster:
    halls = min(HALLS, plan.rooms - 1)
    rooms = tuple(
        Room(index, f"hall-{index}" if index < halls else f"room-{index:02}", index < halls)
        for index in range(plan.rooms)
    )
    people = tuple(_person(client, plan, rooms, halls) for client in range(plan.clients))
    return Roster(rooms, people)


def _person(client: int, plan: Plan, rooms: tuple[Room, ...], halls: int) -> Person:
    small = rooms[halls:]
    chosen = {small[client % len(small)]}
    if client % WITH_TWO_ROOMS == 0:
        chosen.add(small[(client * 7 + 3) % len(small)])
    if client % 2 == 0:
        chosen.add(rooms[client // 2 % halls])
    polling = client % WITH_POLLING == 0
    return Person(
        client=client,
        group=_group(client, plan),
        rooms=tuple(sorted(chosen, key=lambda room: room.index)),
        transports=("polling", "websocket") if polling else ("websocket",),
    )


def _group(client: int, plan: Plan) -> Group:
    if client >= plan.clients - SLEEPERS:
        return Group.SLEEPER
    return Group.DOOR if client % THROUGH_DOOR == 1 else Group.STEADY
