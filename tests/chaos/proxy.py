"""A TCP proxy whose links can be frozen, slowed, made deaf, or cut at any byte."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import Enum

CHUNK = 16_384
SECONDS_TO_CONNECT = 5.0


class Way(Enum):
    """Up: from the one who connected to the server."""

    UP = "up"
    DOWN = "down"


class Weather:
    """What happens to the bytes of a link; this one lets all pass."""

    over = False  # true: the link ends here

    async def through(self, data: bytes, way: Way) -> bytes:
        """What of it passes, once it may."""
        return data


class Frozen(Weather):
    """Half-open: bytes wait on both ways while the sockets stay open."""

    def __init__(self) -> None:
        self._thawed = asyncio.Event()

    def thaw(self) -> None:
        self._thawed.set()

    async def through(self, data: bytes, way: Way) -> bytes:
        await self._thawed.wait()
        return data


class Deaf(Weather):
    """Requests pass, replies are lost."""

    async def through(self, data: bytes, way: Way) -> bytes:
        return data if way is Way.UP else b""


class Slow(Weather):
    """Replies drip at so many bytes a second."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second

    async def through(self, data: bytes, way: Way) -> bytes:
        if way is Way.DOWN:
            await asyncio.sleep(len(data) / self._rate)
        return data


class CutAfter(Weather):
    """The link ends after so many bytes, both ways together: in the middle of a frame."""

    def __init__(self, left: int) -> None:
        self._left = left

    async def through(self, data: bytes, way: Way) -> bytes:
        passing, self._left = data[: self._left], max(0, self._left - len(data))
        self.over = not self._left
        return passing


class Link:
    """One connection through the proxy."""

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self.bytes = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._ended = asyncio.Event()

    async def run(
        self,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Until either side has ended."""
        self._writers = [near[1], far[1]]
        pumps = [
            asyncio.create_task(self._pump(near[0], far[1], Way.UP)),
            asyncio.create_task(self._pump(far[0], near[1], Way.DOWN)),
        ]
        try:
            await self._ended.wait()
        finally:
            self.cut()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way
    ) -> None:
        with suppress(OSError):
            while not self.weather.over and (data := await reader.read(CHUNK)):
                passing = await self.weather.through(data, way)
                self.bytes += len(passing)
                writer.write(passing)
                await writer.drain()
        self._ended.set()

    def cut(self) -> None:
        """Both sides see a reset, without the rest of what was written."""
        self._ended.set()
        for writer in self._writers:
            with suppress(OSError):
                _reset_on_close(writer.get_extra_info("socket"))
            writer.transport.abort()


class Proxy:
    """Listens on `port` and passes on to `target`; `weather` makes that of a new link."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self.links: set[Link] = set()
        self.weather: Callable[[], Weather] = Weather
        self.refuses = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self.weather())
        self.links.add(link)
        try:
            if not self.refuses:
                await self._join(link, reader, writer)
        finally:
            self.links.discard(link)
            writer.transport.abort()

    async def _join(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            connecting = asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK)
            far = await asyncio.wait_for(connecting, SECONDS_TO_CONNECT)
        except OSError:  # nobody there, or not in time
            return
        await link.run((reader, writer), far)

    def cut_all(self) -> None:
        for link in list(self.links):
            link.cut()

    def clear(self) -> None:
        """Fine weather for the links of the future, and a way in."""
        self.weather = Weather
        self.refuses = False


@asynccontextmanager
async def proxy(port: int, target: int) -> AsyncIterator[Proxy]:
    """From one port of the loopback to another; all links are cut at the end."""
    through = Proxy(port, target)
    server = await asyncio.start_server(through._serve, "127.0.0.1", port, limit=CHUNK)
    try:
        yield through
    finally:
        server.close()
        through.cut_all()
        while through.links:
            await asyncio.sleep(0.01)
        await server.wait_closed()


def _reset_on_close(connection: socket.socket) -> None:
    """SO_LINGER of 0 s: close sends RST and drops what is unsent (socket(7))."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
