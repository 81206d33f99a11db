"""The bundled chat: an ordinary Flask-SocketIO app.

What it must remember, it leaves to `siocluster.rooms`, so that any number of workers can serve one
room. It runs by itself too, and remembers in memory then:
`python -c "from chatapp import app, socketio; socketio.run(app)"`.
"""

from __future__ import annotations

from flask import Flask
from flask_socketio import SocketIO

from . import events, pages, rules
from .packets import ReadablePacket

app = Flask(__name__, static_folder=pages.STATIC, static_url_path="/static")
socketio = SocketIO(
    app,
    max_http_buffer_size=rules.MAX_FRAME_BYTES,
    serializer=ReadablePacket,
)

pages.register(app)
events.register(socketio)
