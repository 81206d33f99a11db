"""Probe of clients that may come back: what their coming costs, and what Redis keeps of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.bus.loads import spread
from bench.bus.redis_counts import RedisWatch
from bench.crowd import Crowd, LoadError
from bench.running import Running
from bench.suite import Reading, shared, void_note

CLIENTS_A_ROOM = 5
SECONDS_TO_SETTLE = 0.5
ROOM = "kept"
RATE = 250.0
KEEPS_NOTHING = "keeps no key there"
MEMORY_KEYS = ("client_memory", "room_memory")


def probe_memory(server: Running, *, rooms: int) -> Iterator[Reading]:
    """Clients who ask for recovery come and join a room; then one event is said in each room."""
    clients = rooms * CLIENTS_A_ROOM
    with RedisWatch(server.started.redis_port) as watch:
        empty = watch.memory()
        with Crowd(spread(server.ports, CLIENTS_A_ROOM), recovers=True) as crowd:
            cpu = server.cpu_seconds()
            crowd.connect(clients)
            crowd.join(rooms, prefix=ROOM)
            yield shared("coming_cpu", server.cpu_since(cpu), clients)
            time.sleep(SECONDS_TO_SETTLE)
            if not watch.keys():
                yield from (Reading(key, None, note=KEEPS_NOTHING) for key in MEMORY_KEYS)
                return
            silent = watch.memory()
            yield Reading("client_memory", (silent - empty) / clients)
            talk = crowd.talk(rate=RATE, seconds=rooms / RATE, acked=True)
            if note := void_note(talk):
                raise LoadError(note.removeprefix("void: "))
            time.sleep(SECONDS_TO_SETTLE)
            yield Reading("room_memory", (watch.memory() - silent) / rooms)
