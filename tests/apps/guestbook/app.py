"""Who comes and goes is written into a guest book that everybody can watch."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
from typing import Any  # noqa: E402

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO, join_room, leave_room  # noqa: E402

from siocluster import cluster, rooms  # noqa: E402

GUEST_BOOK = "guest book"

app = Flask(__name__)
socketio = SocketIO(app)


@rooms.on_joined
def came(room: rooms.Room, person: rooms.Person) -> None:
    socketio.emit("came", (room, person.id, person.data), to=GUEST_BOOK)


@rooms.on_left
def went(room: rooms.Room, person: rooms.Person) -> None:
    socketio.emit("went", (room, person.id, person.data), to=GUEST_BOOK)


@socketio.on("watch")
def watch() -> bool:
    """Whether it is the leader who serves the one who asked."""
    join_room(GUEST_BOOK)
    return cluster.is_leader()


@socketio.on("arrive")
def arrive(room: rooms.Room, name: str, data: Any = None) -> None:
    join_room(room)
    rooms.arrive(room, name, data)


@socketio.on("leave")
def leave(room: rooms.Room) -> None:
    leave_room(room)


@socketio.on("who")
def who(room: rooms.Room) -> list[list[Any]]:
    return sorted([person.id, person.data] for person in rooms.members(room))


if __name__ == "__main__":
    socketio.run(app, port=int(os.environ.get("PORT", "5000")))
