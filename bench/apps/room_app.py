"""The app under test for every Python server: join a room, say something to it.

Events: `join(room)`, acknowledged; `say(room, text)`, which all in the room get as `said(text)`.
`/pid` tells which process answers. room_app.cjs is the same for Node. `ask(text)` is answered with
`said(text)` to who asked; Node has no need of it.
"""

from __future__ import annotations

import os

from flask import Flask
from flask_socketio import SocketIO, emit, join_room

app = Flask(__name__)
app.config["SECRET_KEY"] = "the same in every worker"
queue = os.environ.get("BENCH_MESSAGE_QUEUE")  # of a cluster that was started by hand
socketio = SocketIO(app, async_mode="gevent", message_queue=queue)


@app.get("/pid")
def pid() -> str:
    return str(os.getpid())


@socketio.on("join")
def join(room: str) -> None:
    join_room(room)


@socketio.on("say")
def say(room: str, text: str) -> None:
    emit("said", text, to=room)


@socketio.on("ask")
def ask(text: str) -> None:
    emit("said", text)
