"""The backend of a process that is alone: no runner, no Redis, everything in memory.

It keeps what the room bus would keep, within the same bounds, so that an app behaves under
`socketio.run()` as it will in the cluster: all that is emitted to a room has a position and a
place in its history. Works in every async mode of Flask-SocketIO, patched or not. A process has
one app; its client manager is tapped when the app begins to work.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any

from siocluster.bus.alone_app import App, Tap
from siocluster.bus.alone_log import Key, MessageIds, RoomLogs
from siocluster.bus.alone_people import Announcer, People
from siocluster.bus.payload import plain
from siocluster.bus.positions import Position
from siocluster.bus.values import Announcement, Event, Missed, Person, Room, Timer, arguments

log = logging.getLogger(__name__)


class Alone:
    """`joined` and `left` are read whenever someone comes or goes."""

    def __init__(
        self,
        *,
        joined: Sequence[Announcement],
        left: Sequence[Announcement],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._joined, self._left = joined, left
        # Held while an event is numbered and emitted: two threads must not swap their order.
        self._lock = RLock()
        self._logs = RoomLogs(clock=clock)
        self._message_ids = MessageIds(clock=clock)
        self._people = People()
        self._announcer = Announcer(spawn=self._spawn)
        self._timers: list[Timer] = []
        self._serves = self._closed = False
        self._tap: Tap | None = None
        self._app = App(self)

    # Events

    def history(
        self, room: Room, *, before: Position | None, limit: int, namespace: str
    ) -> list[Event]:
        with self._lock:
            return self._logs.history((namespace, room), before=before, limit=limit)

    def missed(self, room: Room, *, after: Position, limit: int, namespace: str) -> Missed:
        with self._lock:
            return self._logs.missed((namespace, room), after=after, limit=limit)

    def keep(self, room: Room, *, events: int, seconds: float, namespace: str) -> None:
        with self._lock:
            self._logs.keep((namespace, room), events=events, seconds=seconds)

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
        tap, key = self._tapped(), (namespace, room)
        with self._lock:
            known = self._message_ids.find(key, message_id) if message_id else None
            if known:
                return str(known)
            position = self._logs.next_position()
            if isinstance(data, dict):
                data = data | {"position": str(position)}
            tap.stock_emit(event, data, namespace, room=room, skip_sid=list(skip_sids))
            self._logs.append(key, position, event, arguments(data))
            if message_id:
                self._message_ids.remember(key, message_id, position)
        return str(position)

    def _emitted(
        self,
        stock_emit: Callable[..., None],
        event: str,
        data: Any,
        namespace: str,
        room: Any,
        **more: Any,
    ) -> None:
        """What the app emits by the usual ways is kept as well, but what wants an ack."""
        with self._lock:
            stock_emit(event, data, namespace, room, **more)
            if more.get("callback") is None and not self._closed:
                keys = self._keys(namespace, more.get("to") or room)
                self._record(event, data, keys)

    def _keys(self, namespace: str, rooms: Any) -> list[Key]:
        """Of the rooms that an emit names, without sids and the whole namespace."""
        manager = self._tapped().manager
        return [
            (namespace, room)
            for room in (rooms if isinstance(rooms, list | tuple) else [rooms])
            if isinstance(room, str | int) and not manager.is_sid_room(namespace, room)
        ]

    def _record(self, event: str, data: Any, keys: list[Key]) -> None:
        if not keys:
            return
        position = self._logs.next_position()
        try:
            args = tuple(plain(list(arguments(data))))
        except (TypeError, ValueError):
            for key in keys:
                self._logs.lose(key, position)
            return
        for key in keys:
            self._logs.append(key, position, event, args)

    # People

    def arrive(self, room: Room, person: Person, *, sid: str, namespace: str) -> None:
        manager = self._tapped().manager
        with self._lock:
            rooms = manager.rooms.get(namespace, {})
            if sid not in rooms.get(None, ()):
                return
            if sid not in rooms.get(room, ()):
                raise ValueError(
                    f"This client is not in the room {room!r}: call join_room before arrive."
                )
            came, gone = self._people.arrive((namespace, room), person, sid=sid)
            self._announce(self._left, room, gone)
            self._announce(self._joined, room, came)

    def members(self, room: Room, *, namespace: str) -> list[Person]:
        with self._lock:
            return [
                Person(person.id, plain(person.data))
                for person in self._people.members((namespace, room))
            ]

    def _has_left(self, sid: str, namespace: str, room: Room) -> None:
        with self._lock:
            self._announce(self._left, room, self._people.leave((namespace, room), sid))

    def _announce(
        self, functions: Sequence[Announcement], room: Room, person: Person | None
    ) -> None:
        if person is not None and not self._closed:
            self._announcer.announce(functions, room, person)

    # State

    def recovered(self, sid: str, *, namespace: str) -> bool:
        """Never: a process that ends takes its memory with it."""
        return False

    def state(self) -> str:
        return "alone"

    def is_leader(self) -> bool:
        return True

    # Timers

    def start(self, timer: Timer) -> None:
        """Timers begin when the app serves: not in a script that merely imports it.

        Nor in the parent of Flask's reloader, nor in a worker before its bus is installed.
        """
        with self._lock:
            if not self._serves:
                self._timers.append(timer)
                self._app.watch_run()
                return
        self._spawn(lambda: self._repeat(timer))

    def serves(self) -> None:
        if self._serves or self._closed:
            return
        with self._lock:
            first, self._serves = not self._serves, True
        if first:
            for timer in self._timers:
                self.start(timer)

    def _repeat(self, timer: Timer) -> None:
        socketio = self._app.socketio()
        while True:
            socketio.sleep(timer.seconds)
            if self._closed:
                return
            try:
                timer.function()
            except Exception:
                log.exception("The timer %r failed; it goes on.", timer.function)

    # The app

    def found(self, socketio: Any) -> None:
        manager = socketio.server.manager
        if self._closed or (self._tap is not None and self._tap.manager is manager):
            return
        with self._lock:
            if self._tap is None or self._tap.manager is not manager:
                self._tap = Tap(manager, emit=self._emitted, left=self._has_left)

    def close(self) -> None:
        self._closed = True
        self._app.close()
        if self._tap is not None:
            self._tap.undo()

    def _tapped(self) -> Tap:
        self._app.socketio()
        assert self._tap is not None, "whoever finds the SocketIO has tapped its manager"
        return self._tap

    def _spawn(self, function: Callable[[], None]) -> object:
        return self._app.socketio().start_background_task(function)
