"""The worker's end of the pipe: what it is told and tells, and how it learns that it is alone."""

from __future__ import annotations

import logging
import os
import socket

import gevent

from siocluster.errors import EXIT_INTERNAL
from siocluster.wire import Boot, Message, Reader, encode

log = logging.getLogger(__name__)


class Pipe:
    """The inherited socket to the master."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._reader = Reader()

    def boot(self) -> Boot:
        """The master's first message; waits for it. Raises WireError."""
        while data := self._socket.recv(65536):
            for message in self._reader.feed(data):
                if isinstance(message, Boot):
                    return message
        raise SystemExit(EXIT_INTERNAL)

    def send(self, message: Message) -> None:
        try:
            self._socket.sendall(encode(message))
        except OSError:
            self._orphaned()

    def watch(self) -> None:
        """Exit at once when the master is gone: nobody would restart, reach or stop us."""
        gevent.spawn(self._wait_for_end)

    def _wait_for_end(self) -> None:
        try:
            while self._socket.recv(65536):
                pass
        except OSError:
            pass
        self._orphaned()

    def _orphaned(self) -> None:
        log.error("The master is gone; this worker ends with it.")
        os._exit(EXIT_INTERNAL)
