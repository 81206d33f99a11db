"""Kill a worker as the kernel would, and see how long the public port feels it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.crowd import LoadError
from bench.launch import kill
from bench.running import Running, answering_pid, answering_pids

SECONDS_TO_FIND = 5.0
SECONDS_TO_COME_BACK = 20.0
PATIENCE = 0.5  # somebody who gets no answer for so long asks again
PAUSE = 0.002


@dataclass(frozen=True, slots=True)
class Outage:
    """Seconds. `silence` is the longest time between two answers of the public port; `restart`
    the time until a process that was not there before answers, None if none will."""

    silence: float
    restart: float | None


def kill_and_wait(server: Running) -> Outage:
    """Kill one of those that answer; watch the public port until its successor answers."""
    server.wait_until_stable()
    deadline = time.monotonic() + SECONDS_TO_FIND
    known = answering_pids(
        server.ports,
        count=server.server.workers,
        while_true=lambda: time.monotonic() < deadline,
    )
    if not known:
        raise LoadError("nobody answers whom one could kill")
    killed = last = time.monotonic()
    kill([min(known)])
    silence = 0.0
    while time.monotonic() < killed + SECONDS_TO_COME_BACK and server.processes():
        pid = answering_pid(server.ports[0], seconds=PATIENCE)
        now = time.monotonic()
        if pid is not None:
            silence, last = max(silence, now - last), now
        if pid is not None and pid not in known:
            return Outage(silence, now - killed)
        time.sleep(PAUSE)
    return Outage(time.monotonic() - last, None)
