"""The rounds: each server in turn, freshly started, the order turned by one each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from bench.crowd import LoadError
from bench.running import NotUp, Running, running
from bench.servers import Server
from bench.suite import Reading, Suite
from bench.summary import Sample

Tell = Callable[[str], None]


def order_of(servers: Sequence[Server], round_number: int) -> list[Server]:
    """Who comes when in a round (counted from 1): no server is always the one after another."""
    first = (round_number - 1) % len(servers)
    return [*servers[first:], *servers[:first]]


def measure(
    suite: Suite, *, rounds: Iterable[int], probes: Sequence[str], tell: Tell
) -> Iterator[Sample]:
    """`rounds` are their numbers, counted from 1."""
    for number in rounds:
        for server in order_of(suite.servers, number):
            start = time.monotonic()
            for reading in readings(suite, server, probes=probes, tell=tell):
                yield Sample(server.name, number, reading)
            tell(f"round {number}  {server.name:<12} {time.monotonic() - start:5.1f} s")


def readings(
    suite: Suite, server: Server, *, probes: Sequence[str], tell: Tell
) -> Iterator[Reading]:
    """All that one fresh process of this server gives; what fails is void, and says so."""
    try:
        with running(server) as up:
            for probe in probes:
                yield from _readings_of(suite, probe, up)
    except NotUp as error:
        tell(error.log)
        yield from _void_all(suite, probes, str(error))
    except OSError as error:
        yield from _void_all(suite, probes, f"it did not start or end: {error}")


def _readings_of(suite: Suite, probe: str, up: Running) -> Iterator[Reading]:
    found = list[Reading]()
    try:
        for reading in suite.probes[probe](up):
            found.append(reading)
            yield reading
    except (LoadError, OSError) as error:
        known = {reading.quantity for reading in found}
        yield from _void([key for key in suite.fills[probe] if key not in known], str(error))


def _void_all(suite: Suite, probes: Sequence[str], reason: str) -> Iterator[Reading]:
    return _void([key for probe in probes for key in suite.fills[probe]], reason)


def _void(quantities: Sequence[str], reason: str) -> Iterator[Reading]:
    return (Reading(key, None, note=f"void: {reason}") for key in quantities)
