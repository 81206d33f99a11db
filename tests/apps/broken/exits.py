"""Ends the process while it is imported."""

import sys

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app)
sys.exit(3)
