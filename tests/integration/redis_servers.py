"""Real Redis servers of the kinds that a cluster must refuse, on loopback ports of their own."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit

from tests.integration.app_server import start_redis

LONGEST_READ = 65536


@contextmanager
def locked_redis() -> Iterator[str]:
    """The URL, with a wrong password in it, of one that wants a password."""
    with start_redis("--requirepass", "right") as url:
        yield url.replace("redis://", "redis://:wrong@")


@contextmanager
def read_only_redis() -> Iterator[str]:
    """A replica."""
    with start_redis() as primary:
        port = str(urlsplit(primary).port)
        with start_redis("--replicaof", "127.0.0.1", port) as url:
            yield url


@contextmanager
def silent_redis() -> Iterator[str]:
    """Takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@contextmanager
def closed_redis() -> Iterator[str]:
    """Nobody listens there: bound, so that nobody else takes the port meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"redis://127.0.0.1:{bound.getsockname()[1]}/0"


@contextmanager
def old_redis() -> Iterator[str]:
    """Today's server, whose INFO is changed on its way to say 6.…, as an old one would."""
    with start_redis() as url, socket.create_server(("127.0.0.1", 0)) as server:
        relay = Thread(target=_relay, args=(server, urlsplit(url).port))
        relay.start()
        try:
            yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            relay.join()


def _relay(server: socket.socket, port: int) -> None:
    with suppress(OSError):  # the server was shut down
        while True:
            client, _ = server.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as redis:
                _answer(client, redis)


def _answer(client: socket.socket, redis: socket.socket) -> None:
    """Command by command; the version keeps its length, which the protocol counts."""
    while command := client.recv(LONGEST_READ):
        redis.sendall(command)
        reply = redis.recv(LONGEST_READ)
        client.sendall(re.sub(rb"((?:redis|valkey)_version:)\d", rb"\g<1>6", reply))
