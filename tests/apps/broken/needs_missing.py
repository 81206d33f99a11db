"""Needs a module that nobody has."""

import nobody_wrote_this_module
from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app, json=nobody_wrote_this_module)
