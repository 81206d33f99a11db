"""The clients: Node processes that run the stock JavaScript client, and the records they write."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.chaos.plan import Plan
from tests.chaos.roster import Group, Person, Roster
from tests.integration.javascript import SCRIPTS
from tests.integration.waiting import SCALE

CHUNK = 1 << 16
LOUD, NORMAL = 3900, 0  # characters of a text; the chat takes 4000
See = Callable[[list[Any]], None]


class Crowd:
    """One Node process, and the people in it."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def command(self, do: str, **facts: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps({'do': do, **facts})}\n".encode())

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def read(self, see: See) -> None:
        """Hand on its records until it ends; an AssertionError when it ends by itself."""
        assert self._process.stdout
        rest = b""
        while chunk := await self._process.stdout.read(CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                see(json.loads(line))
        raise AssertionError("a Node process of the clients has ended; what it said is above")

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def crowd(people: Sequence[dict[str, object]]) -> AsyncIterator[Crowd]:
    """A process with these clients; killed at the end."""
    node = shutil.which("node")
    assert node, "there is no node program: `make setup` says how to get one"
    process = await asyncio.create_subprocess_exec(
        node,
        str(SCRIPTS / "chaos.mjs"),
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "SIOCLUSTER_TEST_SCALE": str(SCALE)},
        start_new_session=True,
    )
    running = Crowd(process)
    try:
        running.command("start", clients=people)
        yield running
    finally:
        await running.end()


def settings(person: Person, *, plan: Plan, front: int, door: int) -> dict[str, object]:
    """What `chaos_client.mjs` takes; `front` and `door` are ports."""
    port = door if person.group is Group.DOOR else front
    return {
        "client": person.client,
        "url": f"http://127.0.0.1:{port}",
        "key": f"chaos-{plan.seed}-{person.client:03}",
        "rooms": [
            {"index": room.index, "name": room.name, "hall": room.hall} for room in person.rooms
        ],
        "transports": person.transports,
        "seed": plan.seed * 1000 + person.client,
        "interval": plan.clients / plan.rate * 1000,
    }


def halves(roster: Roster) -> list[list[Person]]:
    """Two processes for those who are awake, and one for the sleepers."""
    awake = [person for person in roster.people if person.group is not Group.SLEEPER]
    asleep = [person for person in roster.people if person.group is Group.SLEEPER]
    return [awake[::2], awake[1::2], asleep]
