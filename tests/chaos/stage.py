"""Everything a run needs, started in order and ended in reverse: Redis, proxies, cluster, clients.

clients ─┬──────────────── nginx ── workers ── link (proxy) ── Redis
         └─ door (proxy) ──┘
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

from siocluster.settings import BUNDLED_CHAT
from tests.chaos.crowd import Crowd, See, crowd, halves, settings
from tests.chaos.plan import Plan
from tests.chaos.proxy import Proxy, proxy
from tests.chaos.redis_server import RedisServer, redis_server
from tests.chaos.roster import Group, Roster
from tests.integration import processes
from tests.integration.app_server import ROOT
from tests.integration.cluster import Cluster, place_for, running
from tests.integration.waiting import SCALE, free_ports, is_ready

SECONDS_TO_RETURN = 40 * SCALE  # for a worker or nginx
PAUSE = 0.1
APPS = Path(__file__).parent / "apps"
# A worker that is stopped for 20 s must wake up superseded, not be replaced by the master.
OPTIONS = ("--front", "nginx", "--heartbeat-timeout", "60", "--backoff-max", "2")

Found = TypeVar("Found")


class StuckError(Exception):
    """Something did not come back; the message says what."""


@dataclass(slots=True)
class Stage:
    plan: Plan
    roster: Roster
    redis: RedisServer
    link: Proxy
    door: Proxy
    cluster: Cluster
    crowds: list[Crowd] = field(default_factory=list)
    readers: list[asyncio.Task[None]] = field(default_factory=list)
    _claimed: set[int] = field(default_factory=set)

    @property
    def sleepers(self) -> Crowd:
        return self.crowds[-1]

    def command(self, do: str, **facts: object) -> None:
        """To all clients; `chaos.mjs` lists the commands."""
        for one in self.crowds:
            one.command(do, **facts)

    def clients(self, *groups: Group) -> frozenset[int]:
        """All, or those of these groups."""
        return self.roster.clients(*(groups or Group))

    def check(self) -> None:
        """Raises what has ended the cluster, or the reading of the clients' records."""
        for reader in self.readers:
            if reader.done():
                reader.result()
        if not self.cluster.lives():
            raise StuckError(f"the cluster has ended:\n{self.cluster.log()[-2000:]}")

    @contextmanager
    def claimed_slot(self, chance: Random) -> Iterator[int]:
        """A worker that no other fault has its hands on."""
        free = sorted(set(range(self.plan.workers)) - self._claimed)
        slot = chance.choice(free)
        self._claimed.add(slot)
        try:
            yield slot
        finally:
            self._claimed.discard(slot)

    async def worker_pid(self, slot: int) -> int:
        return await until(lambda: self.cluster.worker_pid(slot), f"worker {slot} to be there")

    async def nginx_pid(self) -> int:
        """nginx's master process."""
        return await until(self._nginx_pid, "nginx to be there")

    def _nginx_pid(self) -> int | None:
        found = self.cluster.titled("nginx: master")
        return found[0].pid if found else None

    async def until_gone(self, pid: int) -> None:
        await until(lambda: processes.look(pid) is None or None, f"process {pid} to end")

    async def until_ready(self, slot: int | None = None) -> None:
        """Wait for a worker's `/readyz`, or for the front's."""
        place = self.cluster.place
        port = place.bind if slot is None else place.slots[slot]
        name = "the front" if slot is None else f"worker {slot}"
        await until(lambda: is_ready(port) or None, f"{name} to be ready")


async def until(look: Callable[[], Found | None], words: str) -> Found:
    """What `look` finds at last; a StuckError in words when it does not in time."""
    try:
        async with asyncio.timeout(SECONDS_TO_RETURN):
            while (found := await asyncio.to_thread(look)) is None:
                await asyncio.sleep(PAUSE)
            return found
    except TimeoutError:
        raise StuckError(f"waited {SECONDS_TO_RETURN:g} s in vain for {words}") from None


@asynccontextmanager
async def stage(plan: Plan, roster: Roster, see: See) -> AsyncIterator[Stage]:
    """All of it running; the clients are on their way in, and `see` gets their records."""
    redis_port, link_port, door_port = free_ports(3)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="chaos-")))
        redis = await stack.enter_async_context(redis_server(redis_port, folder, fsync=plan.fsync))
        link = await stack.enter_async_context(proxy(link_port, redis_port))
        cluster = await stack.enter_async_context(_cluster(plan, link_port))
        front = cluster.place.bind
        door = await stack.enter_async_context(proxy(door_port, front))
        built = Stage(plan, roster, redis, link, door, cluster)
        for people in halves(roster):
            chosen = [settings(one, plan=plan, front=front, door=door_port) for one in people]
            built.crowds.append(await stack.enter_async_context(crowd(chosen)))
        await stack.enter_async_context(_read(built, see))
        yield built


@asynccontextmanager
async def _cluster(plan: Plan, link: int) -> AsyncIterator[Cluster]:
    """In a thread: it reaches Redis through a proxy of this one."""
    stack = ExitStack()
    try:
        yield await asyncio.to_thread(_start_cluster, stack, plan, link)
    finally:
        await asyncio.to_thread(stack.close)


def _start_cluster(stack: ExitStack, plan: Plan, link: int) -> Cluster:
    place = stack.enter_context(place_for(workers=plan.workers))
    folder = APPS if plan.target else ROOT
    chosen = options(plan, link)
    target = plan.target or BUNDLED_CHAT
    return stack.enter_context(running(place, target, options=chosen, folder=folder))


@asynccontextmanager
async def _read(built: Stage, see: See) -> AsyncIterator[None]:
    built.readers = [asyncio.create_task(one.read(see)) for one in built.crowds]
    try:
        yield
    finally:
        for reader in built.readers:
            reader.cancel()
        await asyncio.gather(*built.readers, return_exceptions=True)


def options(plan: Plan, link: int) -> list[str]:
    """The cluster's flags."""
    recovery = ["--recovery-seconds", f"{plan.recovery_seconds:g}"]
    recovery += ["--recovery-events", str(plan.recovery_events)]
    return [*OPTIONS, "--redis", f"redis://127.0.0.1:{link}/0", *recovery]
