"""Cannot boot in the slots that BROKEN_SLOTS names, such as `1` or `0,2`."""

import os

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app)

slot = os.environ.get("SIOCLUSTER_SLOT")
if slot in os.environ.get("BROKEN_SLOTS", "1").split(","):
    raise RuntimeError(f"slot {slot} has a bad day")


@socketio.on("pid")
def pid() -> int:
    return os.getpid()
