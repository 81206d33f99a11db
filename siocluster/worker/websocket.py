"""Bounds on what gevent-websocket takes from a client."""

from __future__ import annotations

from typing import Any

import geventwebsocket.handler
from geventwebsocket.exceptions import FrameTooLargeException
from geventwebsocket.websocket import Header, Stream, WebSocket

LONGEST_CONTROL = 125  # bytes; RFC 6455, section 5.5
CONTROL = 0x8  # the bit of an opcode that tells control frames from data


class BoundedStream:
    """A connection's bytes; `left` is how many more the message under way may have."""

    __slots__ = ("_largest", "_read", "left", "write")

    def __init__(self, stream: Stream, *, largest: int) -> None:
        self._read = stream.read
        self._largest = largest
        self.left = largest
        self.write = stream.write

    def read(self, size: int) -> bytes:
        """Raises FrameTooLargeException before so much is read into memory."""
        if size > max(LONGEST_CONTROL, self.left):
            raise FrameTooLargeException
        data: bytes = self._read(size)
        return data

    def took(self, size: int, *, whole: bool) -> None:
        """Count a piece of a message, the last one when `whole`."""
        self.left -= size
        if self.left < 0:
            raise FrameTooLargeException
        if whole:
            self.left = self._largest


class BoundedWebSocket(WebSocket):  # type: ignore[misc]
    """Ends the connection before it holds more than the server's `largest_message` of one message.

    The stock class looks at no size: a frame's header may announce 2^63 bytes, and a message may
    go on in continuation frames for ever (RFC 6455, sections 5.2 and 5.4). Control frames may
    come between those; they belong to no message.
    """

    __slots__ = ()

    def __init__(self, environ: dict[str, Any], stream: Stream, handler: Any) -> None:
        bounded = BoundedStream(stream, largest=handler.server.largest_message)
        super().__init__(environ, bounded, handler)

    def read_frame(self) -> tuple[Header, bytes]:
        header, payload = super().read_frame()
        if not header.opcode & CONTROL:
            self.stream.took(len(payload), whole=bool(header.fin))
        return header, payload


def bound_messages() -> None:
    """Change the stock class, for this process."""
    geventwebsocket.handler.WebSocket = BoundedWebSocket
