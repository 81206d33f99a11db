"""Which HTTP connections have a request under way, and which only wait for one."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

from gevent.event import Event

FIRST_REQUEST_SECONDS = 1.0  # a connection that is new may have its request on the way


class Connections:
    """The open ones of a server. `clock` is monotonic.

    WebSockets are left out: they end with their sessions.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asking: set[socket.socket] = set()
        # Each with the moment from which on it may be hung up.
        self._waiting: dict[socket.socket, float] = {}
        self._changed = Event()

    @property
    def asking(self) -> int:
        """How many have a request under way."""
        return len(self._asking)

    # What happens to one

    def opened(self, connection: socket.socket) -> None:
        self._waiting[connection] = self._clock() + FIRST_REQUEST_SECONDS

    def asked(self, connection: socket.socket) -> None:
        self._waiting.pop(connection, None)
        self._asking.add(connection)

    def answered(self, connection: socket.socket) -> None:
        self._asking.discard(connection)
        self._waiting[connection] = 0.0
        self._changed.set()

    def forget(self, connection: socket.socket) -> None:
        """It is closed, or has become a WebSocket."""
        self._asking.discard(connection)
        self._waiting.pop(connection, None)
        self._changed.set()

    # The end of all

    def wait_until_quiet(self, *, deadline: float) -> int:
        """Hang up who waits until nobody asks any more; returns how many still did at `deadline`.

        New connections may come meanwhile. At the moment of the return nothing else has run.
        """
        while (now := self._clock()) < deadline:
            self._hang_up_idle(now)
            if not self._asking and not self._new(now):
                break
            self._changed.clear()
            self._changed.wait(timeout=min([deadline, *self._new(now)]) - now)
        return len(self._asking)

    def _new(self, now: float) -> list[float]:
        return [patience for patience in self._waiting.values() if patience > now]

    def _hang_up_idle(self, now: float) -> None:
        """End the reading side only: their handlers see the end and close them."""
        for connection, patience in list(self._waiting.items()):
            if patience <= now:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
