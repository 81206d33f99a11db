"""A way to Redis that counts, for each process, the bytes that Redis sends to it."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

LONGEST_READ = 65_536


class CountedRedis:
    """A Unix socket before a Redis on a port: the kernel tells which process has connected."""

    def __init__(self, folder: Path, port: int) -> None:
        self.received: Counter[int] = Counter()  # by pid
        self._path, self._port = folder / "redis.sock", port
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self._path))
        self._server.listen()
        self._open: list[socket.socket] = [self._server]
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"unix://{self._path}?db=0"

    def close(self) -> None:
        for open_socket in self._open:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for open_socket in self._open:
            open_socket.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the server was shut down
            while True:
                client, _ = self._server.accept()
                redis = socket.create_connection(("127.0.0.1", self._port))
                self._open += [client, redis]
                self._start(client, redis)
                self._start(redis, client, pid=peer_pid(client))

    def _start(
        self, source: socket.socket, target: socket.socket, *, pid: int | None = None
    ) -> None:
        thread = Thread(target=self._pass_on, args=(source, target, pid))
        self._threads.append(thread)
        thread.start()

    def _pass_on(self, source: socket.socket, target: socket.socket, pid: int | None) -> None:
        with suppress(OSError):  # one side has ended
            while data := source.recv(LONGEST_READ):
                if pid is not None:
                    self.received[pid] += len(data)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def peer_pid(client: socket.socket) -> int:
    """Whose socket it is (unix(7), SO_PEERCRED)."""
    size = struct.calcsize("3i")
    pid, _, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(pid)


@contextmanager
def counted_redis(port: int) -> Iterator[CountedRedis]:
    with TemporaryDirectory(prefix="counted-") as folder:
        counted = CountedRedis(Path(folder), port)
        try:
            yield counted
        finally:
            counted.close()
