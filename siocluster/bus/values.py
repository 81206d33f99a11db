"""What the room bus tells an app: events, people, and what was missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Socket.IO tells rooms apart by type, too: 42 is not "42".
Room = str | int


@dataclass(frozen=True, slots=True)
class Event:
    """One stored event of a room.

    `position` is its place in the cluster's order, `args` what its handlers get (JSON values and
    bytes), `time` when it was stored, in seconds since 1970, UTC.
    """

    position: str
    event: str
    args: tuple[Any, ...]
    time: float


@dataclass(frozen=True, slots=True)
class Person:
    """Someone in a room, on any number of connections. `data` is a JSON value of the app's."""

    id: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class Missed:
    """The events after a position, oldest first.

    `complete` is false when some of them are not kept any more, or when the position belongs to
    another epoch: the client has a gap and must load afresh.
    """

    events: tuple[Event, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Timer:
    """A function that one worker of the cluster runs every so many seconds."""

    function: Callable[[], object]
    seconds: float


Announcement = Callable[[Room, Person], object]


def arguments(data: Any) -> tuple[Any, ...]:
    """What an event's handlers get for `data`: a tuple is several arguments, None is none."""
    if data is None:
        return ()
    return data if isinstance(data, tuple) else (data,)
