"""What an app may ask of the room bus: history, presence, and emits that are stored.

    from siocluster import rooms

    @socketio.on("say")
    def say(data):
        position = rooms.store("message", {"text": data["text"]}, "lobby")
        return {"ok": True, "position": position}

Works in a worker of a cluster and, in memory, under a plain `socketio.run()`. A room is named by
text or an int, as `join_room` has it; 42 is not "42". A position, `4711-k3f9ab2c`, is the place of
an event in the one order of the cluster: it rises over all rooms, and a client may keep it.

Every function raises TypeError or ValueError for arguments it cannot take. In a cluster, those
that need Redis raise SioclusterError where it does not answer in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import flask

from siocluster.bus import backend, checks
from siocluster.bus.payload import plain
from siocluster.bus.positions import InvalidPosition, Position
from siocluster.bus.values import Event, Missed, Person, Room
from siocluster.errors import NotStoredError, SioclusterError

__all__ = [
    "Event",
    "InvalidPosition",
    "Missed",
    "NotStoredError",
    "Person",
    "Position",
    "Room",
    "SioclusterError",
    "arrive",
    "history",
    "keep",
    "members",
    "missed",
    "on_joined",
    "on_left",
    "recovered",
    "state",
    "store",
]
MOST_AT_ONCE = 1000
Announced = TypeVar("Announced", bound=Callable[[Any, Person], object])


def history(
    room: Room, *, before: str | None = None, limit: int = 50, namespace: str = "/"
) -> list[Event]:
    """The last events of a room, oldest first: at most `limit` (1 to 1000) of those kept.

    All that was emitted to the room is among them, by `store` or not: `event` tells them apart.
    With `before`, a position, the last of those before it; none when it is of another epoch.
    Raises InvalidPosition, a ValueError, when `before` is no position.
    """
    return backend.current().history(
        checks.room(room),
        before=None if before is None else Position.parse(before),
        limit=checks.whole(limit, name="limit", most=MOST_AT_ONCE),
        namespace=checks.namespace(namespace),
    )


def missed(room: Room, *, after: str, limit: int = 1000, namespace: str = "/") -> Missed:
    """What came to a room after a position: for clients without connection state recovery.

    Events are oldest first, at most `limit` (1 to 1000); when there are so many, ask again after
    the last one's position. `complete` is false when some of them are not kept any more, or when
    the position is of another epoch: then load `history` afresh. A position older than the
    client's own time in the room gives events from before it.
    Raises InvalidPosition, a ValueError, when `after` is no position.
    """
    return backend.current().missed(
        checks.room(room),
        after=Position.parse(after),
        limit=checks.whole(limit, name="limit", most=MOST_AT_ONCE),
        namespace=checks.namespace(namespace),
    )


def store(
    event: str,
    data: Any,
    room: Room,
    *,
    message_id: str | None = None,
    namespace: str = "/",
    skip_sid: str | Iterable[str] | None = None,
) -> str:
    """Emit to a room and return the event's position, once it is stored.

    `data` is as in `socketio.emit`: JSON values and bytes; a tuple is several arguments, None is
    none. If it is a dict, receivers and history get it with `"position"` added. The same
    `message_id` (1 to 200 characters) in the same room within 24 h is stored and shown once: later
    calls emit nothing and return the first position. Who may use which id is for the app to say:
    put the person's own id in front of what a client sends.

    Raises NotStoredError when it was refused, and nobody got it, or when Redis did not answer in
    time, and that is not known: with a `message_id` it can be sent again in either case.
    """
    return backend.current().store(
        checks.event(event),
        tuple(plain(list(data))) if isinstance(data, tuple) else plain(data),
        checks.room(room),
        message_id=None if message_id is None else checks.identity(message_id, name="message_id"),
        namespace=checks.namespace(namespace),
        skip_sids=checks.sids(skip_sid),
    )


def keep(room: Room, *, events: int = 1000, seconds: float = 86400, namespace: str = "/") -> None:
    """Keep the room's last `events` for `seconds`, which may be more than recovery needs.

    At most 10 000 rooms are kept so: when one more is, the one used longest ago falls back to what
    recovery needs. Call it again whenever a room is opened.
    """
    backend.current().keep(
        checks.room(room),
        events=checks.whole(events, name="events", most=checks.MOST_EVENTS),
        seconds=checks.seconds(seconds),
        namespace=checks.namespace(namespace),
    )


def arrive(room: Room, id: str, data: Any = None, *, namespace: str | None = None) -> None:
    """The client of this request is in the room as the person `id`, until it leaves.

    Call it after `join_room`; `leave_room`, `close_room` and the end of the connection undo it. A
    person with several connections is there once, with the `data` (a JSON value) given last; `id`
    has 1 to 200 characters. `namespace` is the request's own, where it is not given.

    Raises RuntimeError outside a Socket.IO handler, ValueError for a client that has not joined the
    room; nothing happens for one that has gone meanwhile.
    """
    room = checks.room(room)
    person = Person(checks.identity(id, name="id"), plain(data, binary=False))
    sid, own = _client("arrive")
    if namespace is not None and checks.namespace(namespace) != own:
        raise ValueError(f"The client of this request is in {own}, not in {namespace}.")
    backend.current().arrive(room, person, sid=sid, namespace=own)


def members(room: Room, *, namespace: str = "/") -> list[Person]:
    """Who has arrived in the room, each person once, over all workers."""
    return backend.current().members(checks.room(room), namespace=checks.namespace(namespace))


def on_joined(function: Announced) -> Announced:
    """Have `function(room, person)` called when a person comes into a room. A decorator, too.

    Once for each person and room, on one worker of the cluster, in a greenlet of its own: there is
    no request, so use `socketio.emit`.
    """
    backend.joined.append(checks.function(function, name="on_joined"))
    return function


def on_left(function: Announced) -> Announced:
    """Have `function(room, person)` called when a person's last connection has left a room.

    As `on_joined`; also when their worker died. `person.data` is what was given last.
    """
    backend.left.append(checks.function(function, name="on_left"))
    return function


def recovered() -> bool:
    """In a Socket.IO handler: this connection is one that came back with nothing missed.

    Its rooms are those of before. False for a new one, and for one that missed too much: load
    `history` then. Raises RuntimeError outside a handler.
    """
    sid, namespace = _client("recovered")
    return backend.current().recovered(sid, namespace=namespace)


def state() -> str:
    """`live`; `lost` while the link to Redis is down; `alone` in one process without a cluster."""
    return backend.current().state()


def _client(name: str) -> tuple[str, str]:
    """Sid and namespace of the client whose event is being handled."""
    sid = getattr(flask.request, "sid", None) if flask.has_request_context() else None
    if sid is None:
        raise RuntimeError(f"rooms.{name}() is about one client: call it in a Socket.IO handler.")
    return sid, getattr(flask.request, "namespace", "/")
