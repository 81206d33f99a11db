"""What a worker answers itself, before the app: health, and handshakes that it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

StartResponse = Callable[[str, list[tuple[str, str]]], object]


@dataclass(frozen=True, slots=True)
class Answer:
    """A small whole HTTP response."""

    status: str
    body: bytes
    content_type: str = "application/json"

    def __call__(self, start_response: StartResponse, *, body: bool = True) -> list[bytes]:
        headers = [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(self.status, headers)
        return [self.body if body else b""]


OK = "200 OK"
UNAVAILABLE = "503 Service Unavailable"


class Gate:
    """Decides for each request; `is_live` tells whether the message queue is heard."""

    def __init__(
        self,
        *,
        socketio_path: str,
        health: dict[str, bool],
        is_live: Callable[[], bool],
    ) -> None:
        self.draining = False
        self._socketio_path = socketio_path
        self._health = health
        self._is_live = is_live

    def answer(self, environ: dict[str, object]) -> Answer | None:
        """Our own answer, or None when the app shall answer."""
        path = str(environ.get("PATH_INFO", ""))
        if path in self._health and environ.get("REQUEST_METHOD") in ("GET", "HEAD"):
            return self._readiness() if self._health[path] else _status(OK, "ok")
        return self._refusal() if self._is_handshake(path, environ) else None

    def _readiness(self) -> Answer:
        return self._refusal() or _status(OK, "ready")

    def _refusal(self) -> Answer | None:
        """Why there can be no new session now, if there can be none.

        A stock JavaScript client tries again after a failed handshake, and never again after one
        that succeeded and was followed by CONNECT_ERROR.
        """
        if self.draining:
            return _status(UNAVAILABLE, "draining")
        if not self._is_live():
            return _status(UNAVAILABLE, "message queue lost")
        return None

    def _is_handshake(self, path: str, environ: dict[str, object]) -> bool:
        """Engine.IO opens a session with a request that names none (protocol v4, Handshake)."""
        if not path.startswith(self._socketio_path):
            return False
        return "sid" not in parse_qs(str(environ.get("QUERY_STRING", "")))


def _status(status: str, word: str) -> Answer:
    return Answer(status, json.dumps({"status": word}).encode() + b"\n")


def health_paths(app: flask.Flask, prefix: str) -> tuple[dict[str, bool], list[str]]:
    """Path → whether it asks for readiness, without the paths that are the app's own routes.

    A catch-all such as `/<path:page>` is no claim on a path; a rule that matches no other path is.
    """
    paths = {f"{prefix}healthz": False, f"{prefix}readyz": True}
    taken = [path for path in paths if _has_route(app, path)]
    return {path: ready for path, ready in paths.items() if path not in taken}, taken


def _has_route(app: flask.Flask, path: str) -> bool:
    """Whether a rule for any method is for this path alone."""
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ["GET"]}
    adapter = app.url_map.bind("localhost")
    return any(_is_claimed(adapter, path, method) for method in methods)


def _is_claimed(adapter: MapAdapter, path: str, method: str) -> bool:
    try:
        rule, _ = adapter.match(path, method=method, return_rule=True)
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return rule.arguments <= set(rule.defaults or ())
