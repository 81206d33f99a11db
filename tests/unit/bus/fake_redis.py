"""A server that speaks RESP3 as a test says: it answers, stays silent, refuses or hangs up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer

from siocluster.bus import dial
from siocluster.bus.scripts import Script

Answer = Callable[[str, list[str]], bytes]  # a script's name and arguments → what is sent


def bulk(text: str) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text.encode()), text.encode())


def array(*texts: str) -> bytes:
    return b"*%d\r\n" % len(texts) + b"".join(map(bulk, texts))


def push(channel: str, text: str) -> bytes:
    return b">3\r\n" + bulk("message") + bulk(channel) + bulk(text)


def refused(words: str) -> bytes:
    return f"-{words}\r\n".encode()


@dataclass(slots=True)
class FakeRedis:
    """`heard` has all scripts and subscriptions of all connections: name, then arguments.

    `answer` is asked for each script. `lives` are the connections that are open.
    """

    scripts: dict[str, Script]
    answer: Answer = lambda name, arguments: bulk("done")
    heard: list[list[str]] = field(default_factory=list)
    lives: list[Any] = field(default_factory=list)
    connections: int = 0
    silent: bool = False
    port: int = 0

    def named(self, name: str) -> list[list[str]]:
        """The arguments of each call of this script, behind what all have in common."""
        return [arguments for called, *arguments in self.heard if called == name]

    def say(self, data: bytes) -> None:
        for life in self.lives:
            life.sendall(data)

    def hang_up(self) -> None:
        for life in self.lives:
            with suppress(OSError):  # the other side was faster
                life.shutdown(socket.SHUT_RDWR)

    def serve(self, life: Any, _: object) -> None:
        self.connections += 1
        self.lives.append(life)
        try:
            with life.makefile("rb") as stream:
                while words := list(_command(stream)):
                    self._take(life, words)
        except OSError:
            pass
        finally:
            self.lives.remove(life)

    def _take(self, life: Any, words: list[str]) -> None:
        name, *rest = words
        if self.silent:
            return
        if name == "SCRIPT":
            life.sendall(bulk("digest"))
        elif name == "EVALSHA":
            script = next(one.name for one in self.scripts.values() if one.digest == rest[0])
            self.heard.append([script, *rest[6:]])
            life.sendall(self.answer(script, rest[6:]))
        else:
            self.heard.append(words)
            life.sendall(b">3\r\n" + bulk(name.lower()) + bulk(rest[0]) + b":1\r\n")


def _command(stream: Any) -> Iterator[str]:
    """One command (RESP: an array of bulk strings); empty at the end."""
    head = stream.readline()
    for _ in range(int(head[1:]) if head else 0):
        yield stream.read(int(stream.readline()[1:]) + 2)[:-2].decode()


@contextmanager
def fake_redis(scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRedis]:
    """Listens, and is who the link meets whatever its URL says, without HELLO."""
    server = FakeRedis(scripts)
    listener = StreamServer(("127.0.0.1", 0), server.serve)
    listener.start()
    server.port = listener.server_port
    monkeypatch.setattr(dial, "connected_socket", lambda url: _connected(server.port))
    # Workers have patched `socket`; here is gevent's own beside the stock one.
    monkeypatch.setattr(dial, "hang_up", lambda bare: bare.shutdown(socket.SHUT_RDWR))
    try:
        yield server
    finally:
        server.hang_up()
        listener.stop()


class _Connection:
    """What is only there to be closed."""

    def __init__(self, bare: Any) -> None:
        self.disconnect = bare.close


def _connected(port: int) -> tuple[_Connection, Any]:
    bare = socket.create_connection(("127.0.0.1", port))
    return _Connection(bare), bare


def turns() -> None:
    """Let everybody do what there is to do."""
    for _ in range(10):
        gevent.sleep(0.001)
