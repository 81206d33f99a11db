"""Does not compile, though it can be parsed: formatters read it, Python refuses it."""

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app)
return socketio  # noqa: F706
