"""A classroom: people log in over HTTP, then take part in lessons over Socket.IO."""

import os

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import events, views
from .extensions import login_manager, socketio
from .sessions import FileSessions

__all__ = ["create_app", "events", "socketio"]


def create_app() -> Flask:
    """The app, set up by CLASSROOM_PROXY (inside, outside) and CLASSROOM_SESSIONS (a folder)."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "chalk-and-a-sponge"
    app.register_blueprint(views.pages)
    login_manager.init_app(app)
    proxy = os.environ.get("CLASSROOM_PROXY")
    if proxy == "inside":
        behind_proxy(app)
    attach_socketio(app)
    if proxy == "outside":
        behind_proxy(app)
    return app


def behind_proxy(app: Flask) -> None:
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)


def attach_socketio(app: Flask) -> None:
    folder = os.environ.get("CLASSROOM_SESSIONS")
    if folder:
        app.session_interface = FileSessions(folder)
    socketio.init_app(app, manage_session=not folder)
