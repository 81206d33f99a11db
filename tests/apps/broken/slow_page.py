"""A page that takes as many seconds as it is asked for, and writes its pid to BROKEN_LOG first."""

import os
import time
from pathlib import Path

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app)


@app.get("/slow/<float:seconds>")
def slow(seconds: float) -> str:
    Path(os.environ["BROKEN_LOG"]).write_text(str(os.getpid()))
    time.sleep(seconds)
    return "slow and whole"
