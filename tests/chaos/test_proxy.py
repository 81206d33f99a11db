"""The proxy passes bytes, and does what its weather says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from tests.chaos.own_loop import in_a_loop_of_its_own
from tests.chaos.proxy import CutAfter, Deaf, Frozen, Proxy, Slow, proxy
from tests.integration.waiting import SCALE, free_ports

SECONDS = 5 * SCALE


@dataclass(frozen=True, slots=True)
class Line:
    """A client's connection through the proxy to a server that sends back what it gets."""

    through: Proxy
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, text: bytes, *, seconds: float = SECONDS) -> bytes:
        """Raises TimeoutError, or IncompleteReadError and OSError when the link has ended."""
        self.writer.write(text)
        async with asyncio.timeout(seconds):
            return await self.reader.readexactly(len(text))


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1024):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    port, target = free_ports(2)
    server = await asyncio.start_server(echo, "127.0.0.1", target)
    async with proxy(port, target) as through:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield Line(through, reader, writer)
        writer.close()
    server.close()
    await server.wait_closed()


def played(story: Callable[[Line], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with line() as opened:
            assert await opened.ask(b"hello") == b"hello"
            await story(opened)

    in_a_loop_of_its_own(whole())


def test_frozen_link_passes_nothing_and_then_all() -> None:
    async def story(one: Line) -> None:
        (link,) = one.through.links
        link.weather = frozen = Frozen()
        with pytest.raises(TimeoutError):
            await one.ask(b"anyone?", seconds=0.2)
        frozen.thaw()
        assert await one.reader.readexactly(7) == b"anyone?"

    played(story)


def test_deaf_link_loses_the_replies_alone() -> None:
    async def story(one: Line) -> None:
        (link,) = one.through.links
        link.weather, before = Deaf(), link.bytes
        with pytest.raises(TimeoutError):
            await one.ask(b"anyone?", seconds=0.2)
        assert link.bytes == before + len(b"anyone?")

    played(story)


def test_link_is_cut_within_a_frame() -> None:
    async def story(one: Line) -> None:
        (link,) = one.through.links
        link.weather = CutAfter(len(b"half ") + len(b"ha"))
        with pytest.raises((asyncio.IncompleteReadError, OSError)):
            await one.ask(b"half ")
            await one.ask(b"a frame")

    played(story)


def test_slow_link_drips() -> None:
    async def story(one: Line) -> None:
        (link,) = one.through.links
        link.weather = Slow(bytes_per_second=100)
        began_at = asyncio.get_running_loop().time()
        await one.ask(b"x" * 30)
        assert asyncio.get_running_loop().time() - began_at >= 0.3

    played(story)


def test_refusing_proxy_lets_nobody_in() -> None:
    async def story(one: Line) -> None:
        one.through.refuses = True
        reader, writer = await asyncio.open_connection("127.0.0.1", one.through.port)
        async with asyncio.timeout(SECONDS):
            with suppress(OSError):
                assert await reader.read() == b""
        writer.close()

    played(story)


def test_frozen_link_does_not_outlive_its_proxy() -> None:
    async def story(one: Line) -> None:
        (link,) = one.through.links
        link.weather = Frozen()
        one.writer.write(b"stuck")
        await one.writer.drain()

    played(story)
