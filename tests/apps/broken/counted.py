"""Writes a line for each connect and disconnect to the file that BROKEN_LOG names."""

import os

from flask import Flask, request
from flask_socketio import SocketIO

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app)


def write(line: str) -> None:
    """One write with O_APPEND, so that the lines of several processes do not mix."""
    log = os.open(os.environ["BROKEN_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(log, f"{line}\n".encode())
    os.close(log)


@socketio.on("connect")
def connected() -> None:
    write(f"connect {os.getpid()} {request.sid}")


@socketio.on("disconnect")
def disconnected(reason: str) -> None:
    write(f"disconnect {os.getpid()} {request.sid} {reason}")
