"""Redis servers for tests: a real one in any state, and one that only claims to be one."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from siocluster.master import embedded_redis
from tests.integration.waiting import accepts, free_ports, wait_until


@contextmanager
def redis_server(*options: str) -> Iterator[int]:
    """A real server on a free loopback port, memory only; gives the port."""
    program = embedded_redis.find().path
    (port,) = free_ports(1)
    with TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", *options]
        with (Path(folder) / "log").open("wb") as log:
            server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until(
                lambda: accepts(port),
                words="redis-server",
                log=lambda: (Path(folder) / "log").read_text(errors="replace"),
            )
            yield port
        finally:
            server.kill()
            server.wait()


@contextmanager
def claims_to_be(section: Callable[[str], str]) -> Iterator[int]:
    """A server that answers INFO with our words; gives its port.

    For versions that no machine at hand runs. Where the words are for a server older than
    HELLO (Redis 6.0), it does not know HELLO; a script gives nothing, all other commands +OK.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, section))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            # shutdown() wakes the accept() of another thread, close() does not.
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, section: Callable[[str], str]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as reader:
            while words := _command(reader.readline, reader.read):
                connection.sendall(_answer(words, section))


def _command(line: Callable[[], bytes], read: Callable[[int], bytes]) -> list[str]:
    """One command (RESP: an array of bulk strings); empty at the end."""
    head = line()
    if not head:
        return []
    return [read(int(line()[1:]) + 2)[:-2].decode() for _ in range(int(head[1:]))]


def _answer(words: list[str], section: Callable[[str], str]) -> bytes:
    match words[0].upper():
        case "INFO":
            text = section(words[1]).encode()
            return b"$%d\r\n%s\r\n" % (len(text), text)
        case "HELLO":
            known = b"%1\r\n$5\r\nproto\r\n:3\r\n"
            return known if section("hello") else b"-ERR unknown command 'HELLO'\r\n"
        case "EVALSHA":
            return b"*0\r\n"
        case _:
            return b"+OK\r\n"


def silent() -> socket.socket:
    """A listener that takes connections into its backlog and never says a word."""
    return socket.create_server(("127.0.0.1", 0))
