"""What is measured of the servers: the quantities, and the probes that measure them.

A new quantity is a line in QUANTITIES and a reading that a probe yields for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bench.crowd import Crowd
from bench.restart import kill_and_wait
from bench.running import Running
from bench.servers import Server
from bench.suite import Quantity, Reading, Suite, quantile, shared, void_note

SECONDS_TO_SETTLE = 0.3
WARMING_CLIENTS = 100
WARMING_RATE = 50.0
WARMING_SECONDS = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much each probe does."""

    idle: int = 500
    seconds: float = 1.0
    warm_seconds: float = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Clients evenly in rooms, and how many messages a second they say in all."""

    key: str
    clients: int
    rooms: int
    rate: float

    @property
    def words(self) -> str:
        rooms = "1 room" if self.rooms == 1 else f"{self.rooms} rooms"
        return f"{self.clients} clients in {rooms}, {self.rate:g} messages/s"


LOADS = (
    Load(key="one_room", clients=100, rooms=1, rate=50),
    Load(key="ten_rooms", clients=100, rooms=10, rate=300),
)

QUANTITIES = (
    Quantity("connect_cpu", "CPU for each connect", "µs", 1e6, 0),
    Quantity("idle_memory", "Memory for each idle connection", "KB", 1e-3),
    *(
        Quantity(f"{load.key}_cpu", f"CPU for each delivery: {load.words}", "µs", 1e6)
        for load in LOADS
    ),
    *(
        Quantity(f"{load.key}_p50", f"Say to shown, p50: {load.words}", "ms", 1e3, 2)
        for load in LOADS
    ),
    *(
        Quantity(f"{load.key}_p99", f"Say to shown, p99: {load.words}", "ms", 1e3, 2)
        for load in LOADS
    ),
    Quantity("silence", "After kill -9 of a worker: longest time without an answer", "s", 1, 3),
    Quantity("restart", "After kill -9 of a worker: until its successor answers", "s", 1, 2),
)


def probe_idle(server: Running, plan: Plan) -> Iterator[Reading]:
    """Connections that come and do nothing, to a server that is in use already."""
    with Crowd(server.at_public_port) as crowd:
        _warm(crowd)
        memory, cpu = server.memory_bytes(), server.cpu_seconds()
        crowd.connect(plan.idle)
        yield shared("connect_cpu", server.cpu_since(cpu), plan.idle)
        time.sleep(SECONDS_TO_SETTLE)
        after = server.memory_bytes()
    grown = {part: size - memory[part] for part, size in after.items()}
    yield shared("idle_memory", grown, plan.idle)


def probe_rooms(server: Running, plan: Plan) -> Iterator[Reading]:
    """Each load in turn, each with clients of its own."""
    for load in LOADS:
        with Crowd(server.at_public_port) as crowd:
            yield from _talk(server, crowd, plan=plan, load=load)


def probe_restart(server: Running, plan: Plan) -> Iterator[Reading]:
    """Kill one worker, without anybody connected."""
    outage = kill_and_wait(server)
    if outage.restart is None:
        yield Reading("silence", None, note="stays down")
        yield Reading("restart", None, note="nobody restarts it")
        return
    yield Reading("silence", outage.silence)
    yield Reading("restart", outage.restart)


PROBES: Mapping[str, Callable[..., Iterator[Reading]]] = {
    "idle": probe_idle,
    "rooms": probe_rooms,
    "restart": probe_restart,
}
FILLS: Mapping[str, tuple[str, ...]] = {
    "idle": ("connect_cpu", "idle_memory"),
    "rooms": tuple(f"{load.key}_{what}" for load in LOADS for what in ("cpu", "p50", "p99")),
    "restart": ("silence", "restart"),
}


def suite(servers: Sequence[Server], plan: Plan) -> Suite:
    """These servers side by side."""
    probes = {name: partial(probe, plan=plan) for name, probe in PROBES.items()}
    return Suite(servers=servers, quantities=QUANTITIES, probes=probes, fills=FILLS)


def _talk(server: Running, crowd: Crowd, *, plan: Plan, load: Load) -> Iterator[Reading]:
    crowd.connect(load.clients)
    crowd.join(load.rooms)
    crowd.talk(rate=load.rate, seconds=plan.warm_seconds)
    cpu = server.cpu_seconds()
    talk = crowd.talk(rate=load.rate, seconds=plan.seconds)
    spent = server.cpu_since(cpu)
    if note := void_note(talk):
        yield from (
            Reading(f"{load.key}_{what}", None, note=note) for what in ("cpu", "p50", "p99")
        )
        return
    yield shared(f"{load.key}_cpu", spent, talk.delivered)
    yield Reading(f"{load.key}_p50", quantile(talk.latencies, 0.50))
    yield Reading(f"{load.key}_p99", quantile(talk.latencies, 0.99))


def _warm(crowd: Crowd) -> None:
    """They stay: memory that they gave back would hide some of what the next ones take."""
    crowd.connect(WARMING_CLIENTS)
    crowd.join(1)
    crowd.talk(rate=WARMING_RATE, seconds=WARMING_SECONDS)
