"""How a process that is alone finds the app's SocketIO, and learns what happens in it.

Nobody introduces the app to us: it only imports `siocluster.rooms`. Flask tells by a signal each
time it begins to work for an app, and the app knows its SocketIO; `socketio.run()` tells nobody, so
it is watched where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Protocol

import flask
from flask.signals import appcontext_pushed, request_started
from werkzeug.serving import is_running_from_reloader


class Listener(Protocol):
    """What is told of the app."""

    def found(self, socketio: Any) -> None:
        """This is the app's SocketIO; called again and again."""

    def serves(self) -> None:
        """The app serves; called again and again, at the latest by each request and event."""


class App:
    """The SocketIO of the app that runs now, else of the one that ran last."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._last: Any = None
        self._unwatch: Callable[[], None] | None = None
        # Blinker holds bound methods weakly: this object must stay referred to.
        appcontext_pushed.connect(self._pushed)
        request_started.connect(self._requested)

    def close(self) -> None:
        appcontext_pushed.disconnect(self._pushed)
        request_started.disconnect(self._requested)
        if self._unwatch is not None:
            self._unwatch()

    def watch_run(self) -> None:
        """Tell that the app serves as soon as `socketio.run()` is called, not at its first request.

        Not in the parent of Flask's reloader, which runs the same code and serves nobody.
        """
        if self._unwatch is None:
            self._unwatch = _watch_run(self._runs)

    def _runs(self, socketio: Any) -> None:
        if socketio.server is not None:
            self._found(socketio)
            self._listener.serves()

    def socketio(self) -> Any:
        """Raises RuntimeError when no app has been seen yet."""
        if flask.has_app_context():
            self._see(flask.current_app)
        if self._last is None:
            raise RuntimeError(
                "siocluster.rooms has not seen the app's SocketIO yet: call it in a handler, or"
                " `with app.app_context():`."
            )
        return self._last

    def _pushed(self, app: flask.Flask, **_: object) -> None:
        socketio = self._see(app)
        # A script, or the app's own start, pushes a context too, but no client is connected.
        if socketio is not None and socketio.server.manager_initialized:
            self._listener.serves()

    def _requested(self, app: flask.Flask, **_: object) -> None:
        if self._see(app) is not None:
            self._listener.serves()

    def _see(self, app: flask.Flask) -> Any:
        socketio = app.extensions.get("socketio")
        if socketio is None or socketio.server is None:
            return None
        self._found(socketio)
        return socketio

    def _found(self, socketio: Any) -> None:
        self._last = socketio
        self._listener.found(socketio)


def _watch_run(told: Callable[[Any], None]) -> Callable[[], None]:
    """Have `told` called with each SocketIO that is run; returns what undoes it."""
    # Here and not above: it loads redis and more, for apps that have no timer, too.
    from flask_socketio import SocketIO

    stock_run = SocketIO.run

    @wraps(stock_run)
    def run(socketio: Any, app: flask.Flask, *arguments: Any, **more: Any) -> None:
        if is_running_from_reloader() or not _reloads(app, more):
            told(socketio)
        stock_run(socketio, app, *arguments, **more)

    def undo() -> None:
        if SocketIO.run is run:
            SocketIO.run = stock_run

    SocketIO.run = run
    return undo


def _reloads(app: flask.Flask, options: Mapping[str, Any]) -> bool:
    """As `socketio.run()` decides it."""
    return bool(options.get("use_reloader", options.get("debug", app.debug)))


class Tap:
    """On a client manager: `emit` does each of its emits, `left` is told who left which room.

    `emit(stock, event, data, namespace, room, **more)` gets the stock method and what it was
    called with; `left(sid, namespace, room)` comes after the fact. leave_room, close_room and the
    end of a connection all come to `basic_leave_room`, also in managers that reach other processes.
    """

    def __init__(
        self, manager: Any, *, emit: Callable[..., None], left: Callable[..., None]
    ) -> None:
        self.manager = manager
        self.stock_emit: Callable[..., None] = manager.emit
        self._stock_leave: Callable[..., None] = manager.basic_leave_room
        self._does_emit, self._tells_left = emit, left
        manager.emit, manager.basic_leave_room = self._emit, self._leave

    def undo(self) -> None:
        if self.manager.emit == self._emit:
            self.manager.emit, self.manager.basic_leave_room = self.stock_emit, self._stock_leave

    def _emit(self, event: str, data: Any, namespace: str, room: Any = None, **more: Any) -> None:
        self._does_emit(self.stock_emit, event, data, namespace, room, **more)

    def _leave(self, sid: str, namespace: str, room: Any) -> None:
        self._stock_leave(sid, namespace, room)
        self._tells_left(sid, namespace, room)
