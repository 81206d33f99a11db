"""One Socket.IO client on a WebSocket, no more than the load needs: no polling, no reconnect.

Packets: Engine.IO protocol 4 (`0` open, `2` ping, `3` pong, `4` message), Socket.IO protocol 5
(`40` connect, `42` event, `43` ack).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from enum import Enum, auto

from bench.frames import CLOSE, Reader, text_frame

READ_SIZE = 65536
HEAD_END = b"\r\n\r\n"
UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\n"
    "Host: 127.0.0.1:{port}\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2lkZS1ieS1zaWRlLWJlbg==\r\n\r\n"
)
PONG = text_frame("3")
JOINED = b"430["  # messages are numbered from 1


class State(Enum):
    UPGRADING = auto()
    CONNECTING = auto()
    CONNECTED = auto()
    JOINED = auto()
    GONE = auto()


class Client:
    """`receive` moves it on; whoever owns it waits for its socket to be readable.

    `recovers`: it asks for connection state recovery; `auth`, JSON, goes along with its connect.
    `welcome` is what the server answered to that, such as b'40{"sid":"…"}'.
    """

    __slots__ = ("_auth", "_head", "_reader", "socket", "state", "welcome")

    def __init__(self, port: int, *, recovers: bool = False, auth: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.state = State.UPGRADING
        self._reader, self._head = Reader(), b""
        self._auth, self.welcome = auth, b""
        query = "&recovery=1" if recovers else ""
        self.socket.sendall(UPGRADE.format(port=port, query=query).encode())
        self.socket.settimeout(0)

    def fileno(self) -> int:
        return self.socket.fileno()

    def join(self, room: str) -> None:
        """JOINED once the server has acknowledged it."""
        self._send(text_frame(f'420["join","{room}"]'))

    def say(self, frame: bytes) -> None:
        """Send a frame that `say_frame` made."""
        self._send(frame)

    def close(self) -> None:
        self.state = State.GONE
        self.socket.close()

    def receive(self) -> list[bytes]:
        """Read what is there; gives the events and acks among it, such as b'42["said","…"]'."""
        try:
            data = self.socket.recv(READ_SIZE)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.close()
            return []
        if self.state is State.UPGRADING:
            data = self._after_head(data)
        return list(self._events(data))

    def _after_head(self, data: bytes) -> bytes:
        """What follows the server's 101; anything else it may answer ends the client."""
        self._head += data
        head, end, rest = self._head.partition(HEAD_END)
        if not end:
            return b""
        if not head.startswith(b"HTTP/1.1 101"):
            self.close()
            return b""
        self.state = State.CONNECTING
        return rest

    def _events(self, data: bytes) -> Iterator[bytes]:
        for opcode, payload in self._reader.feed(data):
            if payload.startswith((b"42", b"43")):
                self.state = State.JOINED if payload.startswith(JOINED) else self.state
                yield payload
            elif opcode == CLOSE:
                self.close()
            else:
                self._answer(payload)

    def _answer(self, payload: bytes) -> None:
        if payload.startswith(b"0"):
            self._send(text_frame(f"40{self._auth}"))
        elif payload.startswith(b"2"):
            self._send(PONG)
        elif payload.startswith(b"40"):
            self.state, self.welcome = State.CONNECTED, payload

    def _send(self, frame: bytes) -> None:
        """A full socket buffer means that the server is stuck; the count will say so."""
        try:
            self.socket.sendall(frame)
        except OSError:
            self.close()


def say_frame(room: str, number: int, padding: str, *, acked: bool = False) -> bytes:
    """Say to a room; the text starts with the message's number, which is the ack's, too."""
    ack = number if acked else ""
    return text_frame(f'42{ack}["say","{room}","{number}:{padding}"]')


def ask_frame(number: int, padding: str, *, acked: bool = False) -> bytes:
    """Say what comes back to nobody but oneself."""
    ack = number if acked else ""
    return text_frame(f'42{ack}["ask","{number}:{padding}"]')


def acked_number(packet: bytes) -> int:
    """The number in an ack, such as b"4317[]"."""
    return int(packet[2:].partition(b"[")[0])


def said_number(event: bytes) -> int:
    """The message's number in a `said` event; ValueError if it is none."""
    before, found, rest = event.partition(b'"said","')
    if not found:
        raise ValueError(f"an event that nobody said: {before[:80]!r}")
    return int(rest.partition(b":")[0])
