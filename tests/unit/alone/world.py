"""An app whose handlers do what a test says, on a backend in memory of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask_socketio import SocketIO, SocketIOTestClient, join_room

from siocluster import rooms
from siocluster.bus import backend
from siocluster.bus.alone import Alone
from tests.integration.waiting import SCALE, wait_until

START = 1_700_000_000.0
DAY = 86400.0


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class World:
    """An app that does in its handlers what a test says, on a backend of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.app = flask.Flask(__name__)
        self.app.add_url_rule("/", view_func=lambda: "hello")
        self.socketio = SocketIO(self.app, async_mode="threading", logger=False)
        self.alone = Alone(joined=backend.joined, left=backend.left, clock=self.clock)
        self._function: Callable[[], Any] = lambda: None
        self._result: Any = None
        for namespace in ("/", "/chat"):
            self.socketio.on_event("act", self._act, namespace=namespace)

    def _act(self) -> None:
        self._result = self._function()

    def client(self, *joins: rooms.Room, namespace: str = "/") -> SocketIOTestClient:
        client = self.socketio.test_client(self.app, namespace=namespace)
        self.act(client, lambda: None, namespace=namespace)
        for room in joins:
            self.act(client, lambda room=room: join_room(room), namespace=namespace)
        client.get_received(namespace)
        return client

    def act(
        self, client: SocketIOTestClient, function: Callable[[], Any], namespace: str = "/"
    ) -> Any:
        """Do it in a handler of this client's."""
        self._function = function
        client.emit("act", namespace=namespace)
        return self._result

    def arrive(
        self, client: SocketIOTestClient, room: rooms.Room, id: str, data: Any = None
    ) -> None:
        self.act(client, lambda: (join_room(room), rooms.arrive(room, id, data)))


def say(room: rooms.Room = "lobby", text: str = "x", **more: Any) -> str:
    return rooms.store("message", {"text": text}, room, **more)


def texts(events: Any) -> list[str]:
    return [event.args[0]["text"] for event in events]


def wait_for(told: list[Any], *expected: Any) -> None:
    wait_until(
        lambda: len(told) >= len(expected), words=f"{expected}, of {told}", seconds=5 * SCALE
    )
    assert told == [*expected]
