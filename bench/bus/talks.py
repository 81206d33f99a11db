"""Probes of what is said: to rooms, to oneself, and what it costs a worker without a listener."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench import accounting
from bench.accounting import APP, Process
from bench.bus.loads import CLIENTS, LONELY, Load, loads, spread
from bench.bus.redis_counts import Counts, RedisWatch
from bench.crowd import Crowd, LoadError, Talk
from bench.running import Running, answering_pid
from bench.suite import Reading, quantile, shared, void_note

COSTS = ("cpu", "bytes")
LATENCIES = ("ack_p50", "ack_p99", "shown_p50", "shown_p99")
DIRECT_RATE = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A talk, and what was spent on it: CPU seconds by part of the server, and Redis's counts."""

    talk: Talk
    cpu: dict[str, float]
    redis: Counts

    @property
    def messages(self) -> int:
        return len(self.talk.acks)


def keys_of(workers: int, load: Load) -> list[str]:
    """Latencies and publishes only where they tell something new."""
    what = [*COSTS]
    if workers == 2 and load.rooms > 1:
        what += ["publishes", *LATENCIES]
    return [f"{workers}_{load.key}_{each}" for each in what]


def probe_rooms(server: Running, *, seconds: float) -> Iterator[Reading]:
    """Each load in turn, each with clients of its own, who have their messages acknowledged."""
    workers = server.server.workers
    for load in loads(workers):
        with Crowd(load.port_of(server.ports)) as crowd:
            crowd.connect(CLIENTS)
            crowd.join(load.rooms, prefix=load.key)
            spoken = _spoken(server, crowd, rate=load.rate, seconds=seconds)
        wanted = keys_of(workers, load)
        yield from (
            each for each in readings_of(f"{workers}_{load.key}", spoken) if each.quantity in wanted
        )


def probe_direct(server: Running, *, seconds: float) -> Iterator[Reading]:
    """Answers to who asks, and to nobody else."""
    with Crowd(spread(server.ports, 1)) as crowd:
        crowd.connect(CLIENTS)
        spoken = _spoken(server, crowd, rate=DIRECT_RATE, seconds=seconds, direct=True)
    wanted = {"direct_cpu", "direct_bytes", "direct_shown_p50", "direct_shown_p99"}
    yield from (each for each in readings_of("direct", spoken) if each.quantity in wanted)


def probe_lonely(server: Running, *, seconds: float) -> Iterator[Reading]:
    """What a worker spends while all that is said is said on another: beyond what it does idle."""
    others = [Process(_pid(port), APP) for port in server.ports[1:]]
    elsewhere = spread(server.ports[1:], 1)
    with Crowd(LONELY.port_of(server.ports)) as crowd, Crowd(elsewhere) as silent:
        silent.connect(len(others))  # a stock worker listens to Redis from its first client on
        crowd.connect(CLIENTS)
        crowd.join(LONELY.rooms, prefix=LONELY.key)
        before = accounting.cpu_seconds(others)
        time.sleep(seconds)
        between = accounting.cpu_seconds(others)
        talk = crowd.talk(rate=LONELY.rate, seconds=seconds, acked=True)
        after = accounting.cpu_seconds(others)
    if note := void_note(talk):
        yield Reading("lonely_cpu", None, note=note)
        return
    idle = accounting.cpu_spent(others, before=before, after=between)[APP]
    busy = accounting.cpu_spent(others, before=between, after=after)[APP]
    yield Reading("lonely_cpu", (busy - idle) / len(talk.acks) / len(others))


def _spoken(
    server: Running, crowd: Crowd, *, rate: float, seconds: float, direct: bool = False
) -> Spoken:
    crowd.talk(rate=rate, seconds=seconds / 4, acked=True, direct=direct)
    with RedisWatch(server.started.redis_port) as watch:
        counts, cpu = watch.before(), server.cpu_seconds()  # asking costs Redis something, too
        talk = crowd.talk(rate=rate, seconds=seconds, acked=True, direct=direct)
        spent, told = server.cpu_since(cpu), watch.since(counts)
    if note := void_note(talk):
        raise LoadError(note.removeprefix("void: "))
    return Spoken(talk=talk, cpu=spent, redis=told)


def readings_of(key: str, spoken: Spoken) -> Iterator[Reading]:
    talk, told = spoken.talk, spoken.redis
    yield shared(f"{key}_cpu", spoken.cpu, talk.delivered)
    on_wire = {"in": told.bytes_in, "out": told.bytes_out}
    yield shared(f"{key}_bytes", on_wire, spoken.messages)
    yield Reading(f"{key}_publishes", told.publishes / spoken.messages)
    for name, seconds in (("ack", talk.acks), ("shown", talk.latencies)):
        yield Reading(f"{key}_{name}_p50", quantile(seconds, 0.50))
        yield Reading(f"{key}_{name}_p99", quantile(seconds, 0.99))


def _pid(port: int) -> int:
    if pid := answering_pid(port):
        return pid
    raise LoadError("a worker does not answer")
