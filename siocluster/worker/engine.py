"""What the stock Engine.IO server makes of bytes that are no packet, mended.

Stock raises out of the WebSocket's loop, so that the session stays open without a transport and
its `disconnect` comes at the ping timeout; over polling it logs a traceback, answers 200 and loses
the rest. By the protocol (Engine.IO v4, "Packet encoding") such a client has no session to go on
with: it is closed, with one line in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from engineio.exceptions import EngineIOError
from engineio.server import Server
from engineio.socket import Socket

log = logging.getLogger(__name__)
# What engineio's decoders raise for bytes that they do not expect.
UNREADABLE = (ValueError, TypeError, LookupError, RecursionError)


def mend() -> None:
    """Change the stock classes, for this process."""
    Socket._websocket_handler = _guarded_websocket(Socket._websocket_handler)
    Socket.handle_post_request = _guarded_post(Socket.handle_post_request)
    Server.handle_request = forgetting_closed_sessions(Server.handle_request)


def forgetting_closed_sessions(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Let a request for a session that has ended be answered 400 as for any unknown one.

    Stock keeps an ended session for a while, and a POST that comes then raises KeyError.
    """

    def handle(server: Server, environ: dict[str, Any], start_response: Any) -> Any:
        for sid in parse_qs(environ.get("QUERY_STRING", "")).get("sid", []):
            session = server.sockets.get(sid)
            if session is not None and session.closed:
                server.sockets.pop(sid, None)
        return stock(server, environ, start_response)

    return handle


def _guarded_websocket(stock: Callable[..., Any]) -> Callable[..., Any]:
    def handle(session: Socket, websocket: Any) -> Any:
        try:
            return stock(session, websocket)
        except UNREADABLE as error:
            _close(session, error)
            return []

    return handle


def _guarded_post(stock: Callable[..., None]) -> Callable[..., None]:
    def handle(session: Socket, environ: dict[str, Any]) -> None:
        try:
            stock(session, environ)
        except (*UNREADABLE, EngineIOError) as error:
            _close(session, error)
            raise EngineIOError("unreadable") from None

    return handle


def _close(session: Socket, error: Exception) -> None:
    log.warning("Closes session %s: it sent what is no packet (%s).", session.sid, _short(error))
    # Not waiting for the queue: a polling client that does not poll would keep us for ever.
    session.close(wait=False, reason=session.server.reason.TRANSPORT_ERROR)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:80]!r}" if str(error) else type(error).__name__
