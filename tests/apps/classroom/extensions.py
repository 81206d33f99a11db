"""Objects that every part of the app shares; `create_app` binds them to an app."""

from flask_login import LoginManager, UserMixin
from flask_socketio import SocketIO

socketio = SocketIO()
login_manager = LoginManager()


class Person(UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


@login_manager.user_loader
def load_person(name: str) -> Person:
    return Person(name)
