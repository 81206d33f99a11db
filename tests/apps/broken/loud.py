"""Hands on to everybody what one client says."""

from flask import Flask
from flask_socketio import SocketIO, emit

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app)


@socketio.on("say")
def say(text: str) -> None:
    emit("said", text, broadcast=True)
