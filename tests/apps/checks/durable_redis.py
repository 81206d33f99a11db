"""A Redis that writes each command to its file before it answers, to be hurt by tests."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import redis

from siocluster.master import embedded_redis
from tests.integration.waiting import accepts, free_ports, wait_until

OPTIONS = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")


@dataclass(slots=True)
class DurableRedis:
    """It keeps its port and its file over its lives."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers, with all that was in its file."""
        program = [embedded_redis.find().path, "--bind", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*program, *OPTIONS], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        wait_until(lambda: accepts(self.port) and self.answers(), words="Redis to answer")

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=20, decode_responses=False)

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Dead, and back on its file after the block."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Alive, connected, and silent."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.kill()


@contextmanager
def durable_redis() -> Iterator[DurableRedis]:
    with TemporaryDirectory(prefix="redis-") as folder:
        server = DurableRedis(free_ports(1)[0], Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.end()
