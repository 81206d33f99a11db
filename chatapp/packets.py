"""Socket.IO packets whose sender may be careless or hostile."""

from __future__ import annotations

from typing import Any

from socketio.packet import ACK, CONNECT, DISCONNECT, EVENT, Packet

UNREADABLE = "unreadable"
# python-socketio would run the handlers of these for a client that merely sends them as events.
RESERVED = frozenset({"connect", "disconnect"})


class ReadablePacket(Packet):
    """A packet that, where it cannot be read, becomes the event `unreadable`.

    python-socketio logs a traceback for such a packet and leaves its sender without an answer; an
    event has a handler that can answer. The chat takes no binary data, so that is unreadable too.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except (ValueError, TypeError, LookupError, RecursionError):
            if "encoded_packet" not in kwargs:
                raise
            self._become_unreadable()
        if "encoded_packet" in kwargs and not self._is_readable():
            self._become_unreadable()

    def _is_readable(self) -> bool:
        if self.packet_type == EVENT:
            return _is_event(self.data)
        # A tuple: what is no packet at all may have left an unhashable type here.
        return self.packet_type in (CONNECT, DISCONNECT, ACK)

    def _become_unreadable(self) -> None:
        self.packet_type = EVENT
        self.data = [UNREADABLE]
        self.attachment_count = 0


def _is_event(data: object) -> bool:
    if not isinstance(data, list) or not data:
        return False
    return isinstance(data[0], str) and data[0] not in RESERVED
