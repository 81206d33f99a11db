"""Every worker signs with another key."""

import os

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
app.secret_key = os.urandom(24)
socketio = SocketIO(app)
