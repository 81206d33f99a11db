"""How a process that is alone finds the app's SocketIO, and learns what happens in it.

Nobody introduces the app to us: it only imports `siocluster.rooms`. Flask tells by a signal each
time it begins to work for an app, and the app knows its SocketIO.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import flask
from flask.signals import appcontext_pushed, request_started


class Listener(Protocol):
    """What is told of the app."""

    def found(self, socketio: Any) -> None:
        """This is the app's SocketIO; called again and again."""

    def serves(self) -> None:
        """The app has had its first request or connection; called again and again."""


class App:
    """The SocketIO of the app that runs now, else of the one that ran last."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._last: Any = None
        # Blinker holds bound methods weakly: this object must stay referred to.
        appcontext_pushed.connect(self._pushed)
        request_started.connect(self._requested)

    def close(self) -> None:
        appcontext_pushed.disconnect(self._pushed)
        request_started.disconnect(self._requested)

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
        self._last = socketio
        self._listener.found(socketio)
        return socketio


def tap(
    manager: Any, *, emit: Callable[..., None], left: Callable[..., None]
) -> Callable[..., None]:
    """Let `emit` do each emit of this client manager, and tell `left` who left which room.

    `emit(stock, event, data, namespace, room, **more)` gets the stock method and what it was
    called with; `left(sid, namespace, room)` comes after the fact. leave_room, close_room and the
    end of a connection all come to `basic_leave_room`, also in managers that reach other processes.
    Returns the stock emit.
    """
    stock_emit, stock_leave = manager.emit, manager.basic_leave_room

    def tapped_emit(event: str, data: Any, namespace: str, room: Any = None, **more: Any) -> None:
        emit(stock_emit, event, data, namespace, room, **more)

    def tapped_leave(sid: str, namespace: str, room: Any) -> None:
        stock_leave(sid, namespace, room)
        left(sid, namespace, room)

    manager.emit, manager.basic_leave_room = tapped_emit, tapped_leave
    return stock_emit  # type: ignore[no-any-return]
