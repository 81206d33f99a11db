"""Boots while the file that BROKEN_GATE names is absent; then its import never ends."""

import os
import time
from pathlib import Path

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app)

while Path(os.environ["BROKEN_GATE"]).exists():
    time.sleep(0.1)


@app.get("/pid")
def pid() -> str:
    return str(os.getpid())
