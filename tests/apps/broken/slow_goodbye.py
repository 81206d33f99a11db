"""A disconnect handler that takes BROKEN_GOODBYE seconds, by default an hour."""

import os
import time

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app)


@socketio.on("disconnect")
def goodbye(reason: str) -> None:
    time.sleep(float(os.environ.get("BROKEN_GOODBYE", "3600")))
