"""The worker's HTTP server: gevent's pywsgi on the inherited listener."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

from gevent.pywsgi import WSGIServer
from geventwebsocket.handler import WebSocketHandler

from siocluster.worker import forwarded
from siocluster.worker.connections import Connections
from siocluster.worker.gate import Gate

log = logging.getLogger(__name__)


class Handler(WebSocketHandler):  # type: ignore[misc]
    """One HTTP connection, which may become a WebSocket."""

    server: Server
    environ: dict[str, Any]

    def __init__(self, sock: socket.socket, address: Any, server: Server) -> None:
        # Nagle's algorithm waits for the peer's delayed ACK: an emit followed by an ack took
        # 43 ms instead of 0.4 (measured on the loopback).
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(sock, address, server)

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        forwarded.apply(environ, self.server.trusted)
        return environ

    def handle(self) -> None:
        connection = self.socket  # handle() takes it away at its end
        self.server.connections.opened(connection)
        try:
            super().handle()
        finally:
            self.server.connections.forget(connection)

    def read_request(self, raw_requestline: str) -> bool:
        self.server.connections.asked(self.socket)
        return bool(super().read_request(raw_requestline))

    def handle_one_response(self) -> None:
        super().handle_one_response()
        self.server.connections.answered(self.socket)
        if self.server.gate.draining:
            self.close_connection = True

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Any:
        """Tells a client that would send its next request here not to (RFC 9112, section 9.6)."""
        if self.server.gate.draining and not status.startswith("101"):
            headers = [*headers, ("Connection", "close")]
        return super().start_response(status, headers, exc_info)

    def run_websocket(self) -> None:
        self.server.connections.forget(self.socket)
        super().run_websocket()

    def run_application(self) -> None:
        answer = self.server.gate.answer(self.environ)
        if answer is None:
            super().run_application()
            return
        with_body = self.environ["REQUEST_METHOD"] != "HEAD"
        self.result = answer(self.start_response, body=with_body)
        self.process_result()

    def log_request(self) -> None:
        """Nothing: the access log is the front's, if one is asked for."""

    @property
    def logger(self) -> logging.Logger:
        return log


class Server(WSGIServer):
    """Serves a WSGI app on a bound socket."""

    handler_class = Handler
    # Without EINVAL: gevent would close the server for good while the master has it muted.
    fatal_errors = (errno.EBADF, errno.ENOTSOCK)

    def __init__(
        self,
        listener: socket.socket,
        app: Callable[..., Any],
        *,
        gate: Gate,
        trusted: Callable[[str], bool],
        largest_message: int,
    ) -> None:
        self.gate = gate
        self.trusted = trusted
        self.largest_message = largest_message
        self.connections = Connections()
        super().__init__(listener, app, log=None, error_log=log)

    def do_read(self) -> Any:
        """The next connection, or None.

        accept() fails with EINVAL while the listener is muted: the master does that to a worker
        that has been silent, and takes it back at the next beat.
        """
        try:
            return super().do_read()
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return None

    def finish(self, *, deadline: float) -> int:
        """Stop once no request is under way; returns how many still were at `deadline`.

        Until then it goes on accepting: the master and its next worker share the listener, and
        who connects would wait in a backlog that nobody empties.
        """
        unfinished = self.connections.wait_until_quiet(deadline=deadline)
        self.stop(timeout=0)
        return unfinished
