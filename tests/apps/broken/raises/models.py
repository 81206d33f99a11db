"""Needs a database before it can say what is in it."""

from flask import Flask
from flask_socketio import SocketIO

from . import database

app = Flask(__name__)
socketio = SocketIO(app)
tables = database.tables
