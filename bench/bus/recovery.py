"""Probe of coming back: what it takes to give clients all that they have missed."""

from __future__ import annotations

import json
import select
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.bus.redis_counts import RedisWatch
from bench.client import Client, State, said_number
from bench.crowd import Crowd, LoadError
from bench.running import Running
from bench.suite import Reading, shared, void_note

MISSED = 1000
RETURNING = 5
ROOM = "missed"
RATE = 300.0
SECONDS_FOR_EACH = 20.0
HAS_NONE = "has none: what was missed is gone"


def probe_recovery(server: Running) -> Iterator[Reading]:
    """Some clients of a room are cut off, MISSED events are said there, and they come back one by
    one, to a worker that they were not on."""
    if not server.server.recovers:
        yield from (Reading(key, None, note=HAS_NONE) for key in KEYS)
        return
    first, *_, last = server.ports
    with RedisWatch(server.started.redis_port) as watch, Crowd(lambda _: last) as crowd:
        crowd.connect(1)
        crowd.join(1, prefix=ROOM)
        auths = _cut_off(first, crowd)
        memory = watch.memory()
        talk = crowd.talk(rate=RATE, seconds=MISSED / RATE, acked=True)
        if note := void_note(talk):
            raise LoadError(note.removeprefix("void: "))
        yield Reading("log_memory", (watch.memory() - memory) / MISSED)
        cpu = server.cpu_seconds()
        seconds = [_come_back(last, auth) for auth in auths]
    yield shared("recovery_cpu", server.cpu_since(cpu), MISSED * RETURNING)
    yield Reading("recovery_time", statistics.median(seconds))


KEYS = ("log_memory", "recovery_cpu", "recovery_time")


def _cut_off(port: int, crowd: Crowd) -> list[str]:
    """What RETURNING clients will say when they come back; each has got one event."""
    clients = [Client(port, recovers=True) for _ in range(RETURNING)]
    try:
        for client in clients:
            _reach(client, State.CONNECTED)
            client.join(f"{ROOM}0")
            _reach(client, State.JOINED)
        crowd.talk(rate=RATE, seconds=1 / RATE, acked=True)
        return [_auth_of(client) for client in clients]
    finally:
        for client in clients:
            client.close()


def _auth_of(client: Client) -> str:
    events = _listen(client, until=lambda events: bool(events))
    _, _, position = json.loads(events[-1][2:])
    return json.dumps({"pid": _welcome(client)["pid"], "offset": position})


def _welcome(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.welcome[2:])
    return found


def _come_back(port: int, auth: str) -> float:
    """Seconds from opening the connection to the last event missed; LoadError unless all came."""
    start = time.monotonic()
    client = Client(port, recovers=True, auth=auth)
    try:
        events = _listen(client, until=lambda events: len(events) >= MISSED)
    finally:
        client.close()
    seconds = time.monotonic() - start
    numbers = [said_number(event) for event in events]
    if numbers != list(range(numbers[0], numbers[0] + MISSED)):
        raise LoadError(f"{len(numbers)} of {MISSED} missed events came, or not in order")
    return seconds


def _reach(client: Client, state: State) -> None:
    _listen(client, until=lambda _: client.state is state)


def _listen(client: Client, *, until: Callable[[list[bytes]], bool]) -> list[bytes]:
    """The events that came until it held."""
    deadline = time.monotonic() + SECONDS_FOR_EACH
    events = list[bytes]()
    while not until(events):
        if client.state is State.GONE or time.monotonic() > deadline:
            raise LoadError(f"a client that comes back got {len(events)} events and no more")
        if select.select([client], [], [], 1.0)[0]:
            events += [packet for packet in client.receive() if packet.startswith(b"42")]
    return events
