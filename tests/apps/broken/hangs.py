"""Never ends its import, though other greenlets get their turn."""

import time

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app)

while True:
    time.sleep(3600)
