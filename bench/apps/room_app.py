"""The app under test for every Python server: join a room, say something to it.

Events: `join(room)`, acknowledged; `say(room, text)`, which all in the room get as `said(text)`.
`/pid` tells which process answers. room_app.cjs is the same for Node.
"""

from __future__ import annotations

import os

from flask import Flask
from flask_socketio import SocketIO, emit, join_room

app = Flask(__name__)
app.config["SECRET_KEY"] = "the same in every worker"
socketio = SocketIO(app, async_mode="gevent")


@app.get("/pid")
def pid() -> str:
    return str(os.getpid())


@socketio.on("join")
def join(room: str) -> None:
    join_room(room)


@socketio.on("say")
def say(room: str, text: str) -> None:
    emit("said", text, to=room)
