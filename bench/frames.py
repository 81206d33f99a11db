"""WebSocket frames as a client writes and reads them (RFC 6455, section 5): bytes in, bytes out."""

from __future__ import annotations

import os
import struct

TEXT, CLOSE = 0x1, 0x8
FINAL, MASKED = 0x80, 0x80
OPCODE_BITS, LENGTH_BITS = 0x0F, 0x7F
SHORT, MEDIUM = 126, 127


def text_frame(text: str) -> bytes:
    """One masked text frame of less than 64 KB."""
    payload = text.encode()
    if len(payload) < SHORT:
        head = bytes((FINAL | TEXT, MASKED | len(payload)))
    else:
        head = struct.pack("!BBH", FINAL | TEXT, MASKED | SHORT, len(payload))
    mask = os.urandom(4)
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """The payload XOR the mask, repeated."""
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return mixed.to_bytes(size, "big")


class Reader:
    """Cuts what a server sends into frames; keeps what is not complete yet."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The opcode and payload of each frame that is complete now."""
        buffer = self._rest + data if self._rest else data
        frames, position = [], 0
        while (cut := _frame_at(buffer, position)) is not None:
            opcode, start, end = cut
            frames.append((opcode, buffer[start:end]))
            position = end
        self._rest = buffer[position:]
        return frames


def _frame_at(buffer: bytes, position: int) -> tuple[int, int, int] | None:
    """Opcode, start and end of the payload, once all of the frame is there."""
    available = len(buffer) - position
    if available < 2:
        return None
    size, start = buffer[position + 1] & LENGTH_BITS, position + 2
    if size >= SHORT:
        width = 2 if size == SHORT else 8
        if available < 2 + width:
            return None
        size, start = int.from_bytes(buffer[start : start + width], "big"), start + width
    end = start + size
    return None if end > len(buffer) else (buffer[position] & OPCODE_BITS, start, end)
