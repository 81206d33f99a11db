"""A town of two nodes, each with a link to Redis of its own that can be hurt; one of them leads."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Thread
from urllib.parse import urlsplit

from siocluster.bus.names import Names, room_address
from siocluster.bus.packing import decoded
from siocluster.bus.reader import Entry, Reader
from tests.chaos.proxy import Frozen, Proxy, Weather, proxy
from tests.integration.app_server import start_redis
from tests.integration.cluster import Cluster, get, kill, place_for, spawned
from tests.integration.waiting import SCALE, free_ports, is_ready, wait_until

TARGET = "belfry.app:app"
PREFIX = "town"
NODES = ("a", "b")
SECONDS_TO_FOLLOW = 30 * SCALE  # a test asks for less; this only ends a wait in vain


@dataclass(frozen=True, slots=True)
class Ring:
    """One write of a leader. `time` in seconds, by Redis's clock."""

    number: int
    time: float
    pid: int
    token: int

    @classmethod
    def read(cls, entry: Entry) -> Ring:
        _, data = decoded(entry.message.parts)
        return cls(entry.message.number, entry.time / 1000, data["pid"], int(data["token"]))


class Tower:
    """The log of all rings, read as it grows."""

    def __init__(self, url: str) -> None:
        self.rings: list[Ring] = []
        self._reader = Reader(url, Names(PREFIX))

    def look(self) -> list[Ring]:
        last = self.rings[-1].number if self.rings else 0
        log = self._reader.after(room_address("/", "tower"), last, upto=None, epoch="")
        for entry in log:
            assert entry.previous == last, "the log was trimmed before it was read"
            self.rings.append(Ring.read(entry))
            last = entry.message.number
        return self.rings

    def wait_for(self, more: int, *, words: str) -> None:
        """Until so many more rings than now."""
        wanted = len(self.look()) + more
        wait_until(lambda: len(self.look()) >= wanted, words=words, seconds=SECONDS_TO_FOLLOW)

    def wait_for_successor(self, fallen: Ring) -> Ring:
        """The first ring of whoever leads after that one."""
        wait_until(
            lambda: self.look()[-1].token > fallen.token,
            words=f"a leader after {fallen}",
            seconds=SECONDS_TO_FOLLOW,
        )
        return next(ring for ring in self.rings if ring.token > fallen.token)

    def longest_silence(self) -> float:
        times = [ring.time for ring in self.rings]
        return max(later - earlier for earlier, later in pairwise(times))

    def close(self) -> None:
        self._reader.renew()


class Cable:
    """The one way of a node to Redis. Its proxy runs on a loop of a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, through: Proxy) -> None:
        self._loop = loop
        self._through = through

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._through.port}/0"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Half-open: what was sent meanwhile arrives after the block."""
        frozen = Frozen()
        self._run(lambda: self._set(frozen))
        try:
            yield
        finally:
            self._run(lambda: self._set(Weather()))
            self._run(frozen.thaw)

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        self._run(self._unplug)
        try:
            yield
        finally:
            self._run(self._through.clear)

    def _set(self, weather: Weather) -> None:
        self._through.weather = lambda: weather
        for link in self._through.links:
            link.weather = weather

    def _unplug(self) -> None:
        self._through.refuses = True
        self._through.cut_all()

    def _run(self, action: Callable[[], None]) -> None:
        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result(SECONDS_TO_FOLLOW)


@contextmanager
def cable(target: int) -> Iterator[Cable]:
    """From a free port to `target`."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    opened = proxy(free_ports(1)[0], target)
    try:
        through = asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result()
        try:
            yield Cable(loop, through)
        finally:
            closing = opened.__aexit__(None, None, None)
            asyncio.run_coroutine_threadsafe(closing, loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(frozen=True, slots=True)
class Node:
    cluster: Cluster
    cable: Cable

    @property
    def pid(self) -> int | None:
        """Of its one worker."""
        return self.cluster.worker_pid(0)

    @property
    def leads(self) -> bool:
        return get(self.cluster.worker_ports[0], "/leads") == "yes"

    def wait_until_ready(self) -> None:
        port = self.cluster.worker_ports[0]
        wait_until(lambda: is_ready(port), words=f"/readyz on {port}", log=self.cluster.log)

    @contextmanager
    def dead(self) -> Iterator[None]:
        """`kill -9`; its master starts another worker."""
        self._signal(signal.SIGKILL)
        yield

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.pid, f"there is no worker:\n{self.cluster.log()}"
        kill(self.pid, number)


@dataclass(frozen=True, slots=True)
class Town:
    tower: Tower
    nodes: list[Node] = field(default_factory=list)

    def node_of(self, ring: Ring) -> Node:
        return next(node for node in self.nodes if node.pid == ring.pid)

    def wait_until_ready(self) -> None:
        for node in self.nodes:
            node.wait_until_ready()

    def log(self) -> str:
        return "\n".join(node.cluster.log() for node in self.nodes)


@contextmanager
def town() -> Iterator[Town]:
    """Both nodes are ready, and the bell rings."""
    with start_redis() as url, ExitStack() as stack:
        found = Town(Tower(url))
        stack.callback(found.tower.close)
        for name in NODES:
            port = urlsplit(url).port
            assert port
            found.nodes.append(stack.enter_context(node(name, redis_port=port)))
        found.tower.wait_for(1, words="the first ring")
        yield found


@contextmanager
def node(name: str, *, redis_port: int) -> Iterator[Node]:
    with cable(redis_port) as line:
        options = ["--node", name, "--name", PREFIX, "--redis", line.url, "--redis-prefix", PREFIX]
        options += ["--front", "none", "--heartbeat-timeout", "60"]
        with place_for(workers=1) as place, spawned(place, TARGET, options=options) as cluster:
            found = Node(cluster, line)
            found.wait_until_ready()
            yield found
