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
        self.server.waiting.add(connection)
        try:
            super().handle()
        finally:
            self.server.waiting.discard(connection)

    def handle_one_response(self) -> None:
        self.server.waiting.discard(self.socket)
        if self.server.gate.draining:
            self.close_connection = True
        super().handle_one_response()
        if self.server.gate.draining:
            self.close_connection = True
        self.server.waiting.add(self.socket)

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
    """Serves a WSGI app on a bound socket.

    `waiting` holds the sockets of connections that have no request under way.
    """

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
        self.waiting: set[socket.socket] = set()
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

    def hang_up_idle(self) -> None:
        """End kept-alive connections that have no request under way: their read sees the end."""
        for connection in list(self.waiting):
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                continue
