"""The rounds: each server in turn, freshly started, the order turned by one each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from bench.crowd import LoadError
from bench.quantities import FILLS, PROBES, Plan, Reading
from bench.running import NotUp, Running, running
from bench.servers import Server
from bench.summary import Sample

Tell = Callable[[str], None]


def order_of(servers: Sequence[Server], round_number: int) -> list[Server]:
    """Who comes when in a round (counted from 1): no server is always the one after another."""
    first = (round_number - 1) % len(servers)
    return [*servers[first:], *servers[:first]]


def measure(
    servers: Sequence[Server], *, rounds: int, probes: Sequence[str], plan: Plan, tell: Tell
) -> Iterator[Sample]:
    for number in range(1, rounds + 1):
        for server in order_of(servers, number):
            start = time.monotonic()
            for reading in readings(server, probes=probes, plan=plan, tell=tell):
                yield Sample(server.name, number, reading)
            tell(f"round {number}/{rounds}  {server.name:<12} {time.monotonic() - start:5.1f} s")


def readings(server: Server, *, probes: Sequence[str], plan: Plan, tell: Tell) -> Iterator[Reading]:
    """All that one fresh process of this server gives; what fails is void, and says so."""
    try:
        with running(server) as up:
            for probe in probes:
                yield from _readings_of(probe, up, plan)
    except NotUp as error:
        tell(error.log)
        yield from _void_all(probes, str(error))
    except OSError as error:
        yield from _void_all(probes, f"it did not start or end: {error}")


def _readings_of(probe: str, up: Running, plan: Plan) -> Iterator[Reading]:
    found = list[Reading]()
    try:
        for reading in PROBES[probe](up, plan):
            found.append(reading)
            yield reading
    except (LoadError, OSError) as error:
        known = {reading.quantity for reading in found}
        yield from _void([key for key in FILLS[probe] if key not in known], str(error))


def _void_all(probes: Sequence[str], reason: str) -> Iterator[Reading]:
    return _void([key for probe in probes for key in FILLS[probe]], reason)


def _void(quantities: Sequence[str], reason: str) -> Iterator[Reading]:
    return (Reading(key, None, note=f"void: {reason}") for key in quantities)
