"""Starts its own server when it is imported: the `if __name__` line is missing."""

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app)
socketio.run(app, port=0)
