"""What is measured of the bus: the quantities, and which servers and probes give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bench.bus.loads import loads
from bench.bus.memory import CLIENTS_A_ROOM, probe_memory
from bench.bus.recovery import MISSED, probe_recovery
from bench.bus.servers import servers, with_local
from bench.bus.talks import DIRECT_RATE, keys_of, probe_direct, probe_lonely, probe_rooms
from bench.suite import Probe, Quantity, Suite

PAIR = 2  # workers, where more of them tell nothing new


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is done: `sizes` are numbers of workers, `rooms` those that memory is asked for."""

    sizes: Sequence[int] = (1, 2, 4)
    seconds: float = 2.0
    rooms: int = 1000


QUICK = Plan(sizes=(1, 2), seconds=0.5, rooms=100)
PROBES = ("rooms", "lonely", "direct", "recovery", "memory")

KINDS = {
    "cpu": ("CPU for each delivery", "µs", 1e6, 1),
    "bytes": ("Bytes to and from Redis for each message", "B", 1, 0),
    "publishes": ("Publishes for each message", "publishes", 1, 2),
    "ack_p50": ("Say to ack, p50", "ms", 1e3, 2),
    "ack_p99": ("Say to ack, p99", "ms", 1e3, 2),
    "shown_p50": ("Say to shown, p50", "ms", 1e3, 2),
    "shown_p99": ("Say to shown, p99", "ms", 1e3, 2),
}


def suites(plan: Plan, probes: Sequence[str]) -> list[Suite]:
    """Those that have to do with these probes."""
    found = []
    if "rooms" in probes:
        found += [_rooms(size, plan) for size in plan.sizes]
    if "direct" in probes:
        found.append(_direct(plan))
    if rest := [probe for probe in probes if probe in REST]:
        found.append(_rest(plan, rest))
    return found


def _rooms(workers: int, plan: Plan) -> Suite:
    words = "1 worker" if workers == 1 else f"{workers} workers"
    found = {
        key: _quantity(key, f"{words}, {load.words}, {load.rate:g} messages/s")
        for load in loads(workers)
        for key in keys_of(workers, load)
    }
    return Suite(
        servers=servers(workers),
        quantities=list(found.values()),
        probes={"rooms": partial(probe_rooms, seconds=plan.seconds)},
        fills={"rooms": list(found)},
    )


def _direct(plan: Plan) -> Suite:
    keys = [f"direct_{what}" for what in ("cpu", "bytes", "shown_p50", "shown_p99")]
    words = f"a direct answer, {PAIR} workers, {DIRECT_RATE:g} messages/s"
    return Suite(
        servers=with_local(PAIR),
        quantities=[_quantity(key, words) for key in keys],
        probes={"direct": partial(probe_direct, seconds=plan.seconds)},
        fills={"direct": keys},
    )


REST = {
    "lonely": (
        Quantity("lonely_cpu", "CPU of a worker without members, for each message", "µs", 1e6),
    ),
    "recovery": (
        Quantity("recovery_time", f"Catching up {MISSED} missed events, one client", "ms", 1e3, 0),
        Quantity("recovery_cpu", f"CPU for each of {MISSED} events caught up", "µs", 1e6),
        Quantity("log_memory", f"Memory of Redis for each of {MISSED} events of a room", "B", 1, 0),
    ),
    "memory": (
        Quantity("coming_cpu", "CPU for each client that comes and joins a room", "µs", 1e6, 0),
        Quantity(
            "client_memory",
            f"Memory of Redis for each client that may come back, {CLIENTS_A_ROOM} a room",
            "B",
            1,
            0,
        ),
        Quantity("room_memory", "Memory of Redis for each room with 1 event", "B", 1, 0),
    ),
}


def _rest(plan: Plan, probes: Sequence[str]) -> Suite:
    known: dict[str, Probe] = {
        "lonely": partial(probe_lonely, seconds=plan.seconds),
        "recovery": probe_recovery,
        "memory": partial(probe_memory, rooms=plan.rooms),
    }
    return Suite(
        servers=servers(PAIR),
        quantities=[quantity for probe in probes for quantity in REST[probe]],
        probes={probe: known[probe] for probe in probes},
        fills={probe: [quantity.key for quantity in REST[probe]] for probe in probes},
    )


def _quantity(key: str, words: str) -> Quantity:
    kind = next(kind for kind in KINDS if key.endswith(f"_{kind}"))
    title, unit, scale, digits = KINDS[kind]
    return Quantity(key, f"{title}: {words}", unit, scale, digits)
