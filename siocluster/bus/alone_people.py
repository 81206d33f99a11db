"""Who is in a room of a process that is alone, and how the app is told."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import RLock

from siocluster.bus.alone_log import Key
from siocluster.bus.values import Announcement, Person, Room

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Present:
    person: Person
    sids: set[str] = field(default_factory=set)


class People:
    """Persons by room, each with the connections they have there.

    `arrive` and `leave` return who came and who went by that: the first connection of a person
    brings them, the last one takes them away. Not safe for several threads; the caller holds a
    lock.
    """

    def __init__(self) -> None:
        self._rooms: dict[Key, dict[str, _Present]] = {}
        self._person_of: dict[tuple[Key, str], str] = {}

    def arrive(self, key: Key, person: Person, *, sid: str) -> tuple[Person | None, Person | None]:
        """Who came, and who went because this connection was someone else before."""
        gone = None
        if self._person_of.get((key, sid), person.id) != person.id:
            gone = self.leave(key, sid)
        people = self._rooms.setdefault(key, {})
        present = people.get(person.id)
        came = present is None
        if present is None:
            present = people[person.id] = _Present(person)
        present.person = person
        present.sids.add(sid)
        self._person_of[key, sid] = person.id
        return (person if came else None), gone

    def leave(self, key: Key, sid: str) -> Person | None:
        person_id = self._person_of.pop((key, sid), None)
        if person_id is None:
            return None
        people = self._rooms[key]
        present = people[person_id]
        present.sids.remove(sid)
        if present.sids:
            return None
        del people[person_id]
        if not people:
            del self._rooms[key]
        return present.person

    def members(self, key: Key) -> list[Person]:
        """In the order in which they came."""
        return [present.person for present in self._rooms.get(key, {}).values()]


class Announcer:
    """Calls the app's functions, one after the other: a `left` never overtakes its `joined`.

    `spawn` starts a function in a greenlet or thread of its own, as the app's async mode has it.
    """

    def __init__(self, *, spawn: Callable[[Callable[[], None]], object]) -> None:
        self._spawn = spawn
        self._lock = RLock()
        self._waiting: deque[tuple[Sequence[Announcement], Room, Person]] = deque()
        self._runs = False

    def announce(self, functions: Sequence[Announcement], room: Room, person: Person) -> None:
        if not functions:
            return
        with self._lock:
            self._waiting.append((functions, room, person))
            start, self._runs = not self._runs, True
        if start:
            self._spawn(self._run)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._runs = False
                    return
                functions, room, person = self._waiting.popleft()
            for function in tuple(functions):
                _call(function, room, person)


def _call(function: Announcement, room: Room, person: Person) -> None:
    try:
        function(room, person)
    except Exception:
        log.exception("%r failed for %r in room %r.", function, person.id, room)
