"""`siocluster.rooms` over the whole cluster: the backend that a worker installs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

import gevent
import redis

from siocluster.bus import backend
from siocluster.bus.clients import Clients
from siocluster.bus.delivery import Delivery
from siocluster.bus.leader import Leadership
from siocluster.bus.link import Link
from siocluster.bus.manager import RoomBusManager
from siocluster.bus.message import Head
from siocluster.bus.names import room_address
from siocluster.bus.packing import decoded, event_parts
from siocluster.bus.positions import Position
from siocluster.bus.presence import Presence
from siocluster.bus.reader import Entry, Reader
from siocluster.bus.values import Announcement, Event, Missed, Person, Room, Timer
from siocluster.errors import NotStoredError, RedisError

log = logging.getLogger(__name__)
MOST_KEPT_ROOMS = 10_000
BYTES_AN_EVENT = 4096  # of a kept room's events, on average, before its size bounds it


class Shared:
    """A `siocluster.bus.backend.Backend`."""

    def __init__(
        self,
        *,
        link: Link,
        reader: Reader,
        clients: Clients,
        delivery: Delivery,
        manager: RoomBusManager,
        leadership: Leadership,
        smallest_keep: int,
    ) -> None:
        self._link = link
        self._reader = reader
        self._clients = clients
        self._delivery = delivery
        self._manager = manager
        self._leadership = leadership
        self._smallest_keep = smallest_keep
        self.presence: Presence

    def history(
        self, room: Room, *, before: Position | None, limit: int, namespace: str
    ) -> list[Event]:
        if before is not None and before.epoch != self._delivery.epoch:
            return []
        number = None if before is None else before.number
        address = room_address(namespace, room)
        entries = self._read(
            lambda: self._reader.before(address, number, limit=limit, epoch=self._delivery.epoch)
        )
        return [_event(entry) for entry in reversed(entries) if entry.message.parts]

    def missed(self, room: Room, *, after: Position, limit: int, namespace: str) -> Missed:
        number, epoch, kept, resumed, vouched = self._link.wait(self._link.call("vouch"))
        is_lost = int(kept) < after.number < int(resumed)
        if after.epoch != epoch.decode() or after.number > int(number) or is_lost:
            return Missed((), complete=False)
        address = room_address(namespace, room)

        def read() -> list[Entry]:
            log = self._reader.after(address, after.number, upto=None, epoch=after.epoch)
            return [entry for entry, _ in zip(log, range(limit), strict=False)]

        found = self._read(read)
        newest = found or self._read(lambda: self._reader.before(address, None, limit=1, epoch=""))
        if not newest:
            complete = after.number >= int(vouched)
        else:
            complete = not found or _follows(found[0], after.number, vouched=int(vouched))
        return Missed(tuple(_event(one) for one in found if one.message.parts), complete)

    def _read(self, read: Callable[[], list[Entry]]) -> list[Entry]:
        """After what the caller has done: from its join on all is live, before it all is here."""
        self._link.catch_up()
        try:
            return read()
        except (redis.exceptions.RedisError, OSError) as error:
            self._reader.renew()
            raise RedisError(f"The room log cannot be read: {error}") from None

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
        address = room_address(namespace, room)
        parts = event_parts(namespace, event, data)
        head = Head(
            targets=(address,),
            namespace=namespace,
            skip=skip_sids,
            sizes=tuple(map(len, parts)) if len(parts) > 1 else (),
            stamped=isinstance(data, dict),
        )
        identity = "" if message_id is None else _digest(address, message_id)
        return str(self._manager.send(head, parts, message_id=identity))

    def keep(self, room: Room, *, events: int, seconds: float, namespace: str) -> None:
        """Never less than recovery needs. Waits for Redis; raises NotStoredError."""
        whole = max(int(seconds), self._smallest_keep)
        size = max(1 << 20, events * BYTES_AN_EVENT)
        address = room_address(namespace, room)
        self._link.wait(
            self._link.call(
                "keep", address, str(events), str(whole), str(size), str(MOST_KEPT_ROOMS)
            )
        )

    def arrive(self, room: Room, person: Person, *, sid: str, namespace: str) -> None:
        client = self._clients.get(sid)
        if client is None or client.namespace != namespace:
            return
        address = room_address(namespace, room)
        if address not in client.wanted:
            raise ValueError(f"The client has not joined {room!r}: call join_room first.")
        self.presence.arrive(client, address, room, person)

    def members(self, room: Room, *, namespace: str) -> list[Person]:
        self._link.catch_up()
        try:
            return self.presence.members(room_address(namespace, room))
        except (redis.exceptions.RedisError, OSError) as error:
            self._reader.renew()
            raise RedisError(f"Who is in the room cannot be read: {error}") from None

    def recovered(self, sid: str, *, namespace: str) -> bool:
        client = self._clients.get(sid)
        return client is not None and client.namespace == namespace and client.recovered

    def state(self) -> str:
        return "live" if self._link.live.is_set() else "lost"

    def is_leader(self) -> bool:
        return self._leadership.leads

    def start(self, timer: Timer) -> None:
        self._leadership.start(timer)

    def close(self) -> None:
        """A worker has one bus for its whole life."""


def announce(kind: str, person_id: str, described: str) -> None:
    """Call the app's functions, each in a greenlet of its own."""
    room, data = json.loads(described)
    functions: list[Announcement] = backend.joined if kind == "joined" else backend.left
    for function in list(functions):
        gevent.spawn(_call, function, room, Person(person_id, data))


def _call(function: Announcement, room: Room, person: Person) -> None:
    try:
        function(room, person)
    except NotStoredError as error:
        log.error("%s could not tell of %s: %s", function.__qualname__, person.id, error)
    except Exception:
        log.exception("A function for who comes and goes failed.")


def _event(entry: Entry) -> Event:
    message = entry.message
    name, *arguments = decoded(message.parts)
    position = str(Position(message.number, message.epoch))
    if message.head.stamped:
        arguments[-1] = {**arguments[-1], "position": position}
    return Event(position, name, tuple(arguments), entry.time / 1000)


def _follows(first: Entry, number: int, *, vouched: int) -> bool:
    """Whether nothing is lacking between a number and the first entry that is kept after it."""
    if first.previous == 0:
        return number >= vouched  # the log began anew: what it had before is older than that
    return first.previous <= number


def _digest(address: str, message_id: str) -> str:
    text = f"{address}\0{message_id}".encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=16).hexdigest()
