"""Keeps its worker from answering when a client asks for it."""

import hashlib
import os

from flask import Flask
from flask_socketio import SocketIO
from gevent import monkey

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app)
stock_sleep = monkey.get_original("time", "sleep")


@socketio.on("pid")
def pid() -> int:
    return os.getpid()


def count_for_ever() -> None:
    number = 0
    while True:
        number += 1


@socketio.on("spin")
def spin() -> None:
    """Runs Python code, so that a signal handler finds its frames."""
    count_for_ever()


@socketio.on("block")
def block(seconds: float) -> None:
    """Sleeps in one system call that gevent knows nothing of; signal handlers still run."""
    stock_sleep(seconds)


@socketio.on("grind")
def grind() -> None:
    """Computes in one C call for minutes; Python runs no signal handler before it returns."""
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2**31 - 1)
