"""Never ends its import, and nothing else in the process gets its turn."""

from flask import Flask
from flask_socketio import SocketIO
from gevent import monkey

app = Flask(__name__)
socketio = SocketIO(app)

while True:
    monkey.get_original("time", "sleep")(3600)
