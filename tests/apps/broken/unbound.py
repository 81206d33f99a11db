"""A SocketIO object that no app was given to."""

from flask_socketio import SocketIO

socketio = SocketIO()
