"""A real Redis that can be killed, frozen, emptied, and started again on its file."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import redis

from siocluster.master import embedded_redis
from tests.integration.waiting import SCALE

SECONDS_TO_START = 30 * SCALE
SECONDS_TO_ANSWER = 2 * SCALE
UNSYNCED_SECONDS = 1.5  # of a file that is synced every second; a power cut takes some of it


class RedisServer:
    def __init__(self, port: int, folder: Path, *, fsync: str) -> None:
        self.port = port
        self.folder = folder
        self.fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Returns when it answers, its file read."""
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [embedded_redis.find().path, *_options(self)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        async with asyncio.timeout(SECONDS_TO_START):
            while not await asyncio.to_thread(self._answers):
                await asyncio.sleep(0.02)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"Redis ended: {(self.folder / 'redis.log').read_text()[-800:]}")
        with suppress(redis.RedisError):
            return bool(self._ask("PING"))
        return False

    async def command(self, *words: str | int) -> object:
        """What it answers to a command of the test's own, past the proxy."""
        return await asyncio.to_thread(self._ask, *words)

    def _ask(self, *words: str | int) -> object:
        with redis.Redis(port=self.port, socket_timeout=SECONDS_TO_ANSWER) as client:
            return client.execute_command(*words)

    def signal(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL. Its file has what it has written to it."""
        self.signal(signal.SIGKILL)
        if self._process:
            await asyncio.to_thread(self._process.wait)

    async def power_cut(self, chance: Random) -> int:
        """SIGKILL, and the end of the file is gone that no sync has reached; bytes of it.

        A kill alone leaves what was written to the kernel, so that it would lose nothing.
        """
        before = {path: path.stat().st_size for path in self._files()}
        await asyncio.sleep(UNSYNCED_SECONDS)
        await self.kill()
        lost = 0
        for path in self._files():
            size = path.stat().st_size
            kept = chance.randint(before.get(path, size), size)
            os.truncate(path, kept)
            lost += size - kept
        return lost

    def _files(self) -> Iterable[Path]:
        return list((self.folder / "appendonlydir").glob("*.incr.aof"))


def _options(server: RedisServer) -> list[str]:
    settings = {
        "bind": "127.0.0.1",
        "port": str(server.port),
        "save": "",
        "appendonly": "yes",
        "appendfsync": server.fsync,
        "auto-aof-rewrite-min-size": "16mb",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


@asynccontextmanager
async def redis_server(port: int, folder: Path, *, fsync: str) -> AsyncIterator[RedisServer]:
    """Running, on a loopback port, with its file in `folder`; killed at the end."""
    server = RedisServer(port, folder, fsync=fsync)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
