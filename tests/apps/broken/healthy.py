"""Works. What is wrong is the name by which a test asks for something in it."""

import os

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app)

bare_app = Flask("bare")
not_a_socketio = {"socketio": "in name only"}


def make_socketio() -> SocketIO:
    return socketio


def make_nothing() -> None:
    return None


def make_trouble() -> SocketIO:
    raise LookupError("the factory has no parts")


@app.get("/pid")
def pid() -> str:
    return str(os.getpid())


@socketio.on("pid")
def pid_event() -> int:
    return os.getpid()
