"""The worker's end of the pipe: what it tells the master, and how it learns that it is gone."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass, field

import gevent
from gevent.event import Event

from siocluster.errors import EXIT_INTERNAL
from siocluster.wire import Beat, Boot, Message, Reader, encode

log = logging.getLogger(__name__)
COALESCE_SECONDS = 0.05  # a storm of connects makes one beat


@dataclass(slots=True)
class Clients:
    """Engine.IO sessions since boot. `disconnects` cannot pass `connects`."""

    connects: int = 0
    disconnects: int = 0
    changed: Event = field(default_factory=Event)

    def connected(self) -> None:
        self.connects += 1
        self.changed.set()

    def disconnected(self) -> None:
        self.disconnects = min(self.disconnects + 1, self.connects)
        self.changed.set()


class Pipe:
    """The inherited socket to the master."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._reader = Reader()

    def boot(self) -> Boot:
        """The master's first message; waits for it."""
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


def beat_for_ever(pipe: Pipe, clients: Clients, *, seconds: float) -> None:
    """Beat at least every `seconds`, sooner when a client came or went.

    A greenlet and not a thread: a thread would go on beating while the hub is blocked.
    """
    while True:
        pipe.send(Beat(connects=clients.connects, disconnects=clients.disconnects))
        clients.changed.wait(timeout=seconds)
        gevent.sleep(COALESCE_SECONDS)
        clients.changed.clear()
