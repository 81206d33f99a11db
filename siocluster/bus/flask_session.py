"""Flask-SocketIO's `session` of a client: what handlers changed since `connect` comes back with it.

What `connect` itself sets is left alone: it runs again at each return, and decides anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import flask
import flask_socketio
from flask.json.tag import TaggedJSONSerializer

from siocluster.bus.clients import Client

log = logging.getLogger(__name__)
SAVED = "saved_session"  # where Flask-SocketIO keeps it, in the WSGI environment
LARGEST = 64 * 1024  # characters


class FlaskSession:
    """`write(pid, generation, saved=text)` stores it; its ticket is what the next ack waits for."""

    def __init__(self, socketio: flask_socketio.SocketIO, write: Callable[..., Any]) -> None:
        self._managed = socketio.manage_session
        self._write = write
        self._serializer = TaggedJSONSerializer()
        self._first: WeakKeyDictionary[Client, dict[str, str]] = WeakKeyDictionary()
        self._last: WeakKeyDictionary[Client, str] = WeakKeyDictionary()
        self._complained = False

    def begin(self, client: Client, environ: dict[str, Any]) -> None:
        """What it holds when `connect` has accepted."""
        if client.pid and self._managed:
            if SAVED not in environ and "flask.app" in environ:
                # There is no `connect` handler: made here as the first handler would make it.
                with environ["flask.app"].request_context(environ):
                    environ[SAVED] = flask_socketio._ManagedSession(flask.session)
            self._first[client] = self._texts(environ.get(SAVED) or {})

    def save(self, client: Client, environ: dict[str, Any]) -> None:
        """Store what differs from then, if that has changed. Not waited for."""
        first = self._first.get(client)
        session = environ.get(SAVED)
        if first is None or not session:
            return
        texts = self._texts(session)
        changed = {key: text for key, text in texts.items() if first.get(key) != text}
        text = self._serializer.dumps(changed) if changed else ""
        if text == self._last.get(client, "") or len(text) > LARGEST:
            return
        self._last[client] = text
        client.settle(self._write(client.pid, client.generation, saved=text))

    def put_back(self, client: Client, environ: dict[str, Any], saved: str) -> None:
        if not saved or not self._managed:
            return
        values = {
            key: self._serializer.loads(text) for key, text in self._serializer.loads(saved).items()
        }
        environ.setdefault(SAVED, flask_socketio._ManagedSession()).update(values)
        self._last[client] = saved

    def _texts(self, session: dict[str, Any]) -> dict[str, str]:
        """Each value as Flask's own tagged JSON; without what that cannot carry, said once."""
        texts = {}
        for key, value in session.items():
            try:
                texts[key] = self._serializer.dumps(value)
            except (TypeError, ValueError):
                self._complain(key)
        return texts

    def _complain(self, key: str) -> None:
        if not self._complained:
            self._complained = True
            log.warning(
                "session[%r] is of a type that cannot be stored: it does not come back with a"
                " client that recovers.",
                key,
            )
