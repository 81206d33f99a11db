"""Bounds on what gevent-websocket takes from a client."""

from __future__ import annotations

from collections.abc import Callable

from geventwebsocket.exceptions import ProtocolError
from geventwebsocket.websocket import WebSocket


def bound_frames(websocket: WebSocket, *, largest: int) -> None:
    """End the connection before a frame of more than `largest` bytes is read into memory.

    The stock server looks at a message's size once it has all of it; a frame's header may
    announce up to 2^63 bytes (RFC 6455, section 5.2).
    """
    read: Callable[[int], bytes] = websocket.raw_read

    def bounded(size: int) -> bytes:
        if size > largest:
            raise ProtocolError(f"a frame of {size} bytes; {largest} are allowed")
        return read(size)

    websocket.raw_read = bounded
