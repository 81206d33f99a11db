"""A server while it runs: is it up, who answers, what has it cost so far."""

from __future__ import annotations

import http.client
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from bench import accounting
from bench.accounting import Process
from bench.crowd import LoadError
from bench.servers import Server, Started

SECONDS_TO_START = 30.0
LAST_LINES = 8


class NotUp(LoadError):
    """The server did not start; `log` is what it said last."""

    def __init__(self, message: str, *, log: str) -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True, slots=True)
class Running:
    """A server all of whose workers answer."""

    server: Server
    started: Started
    since: float  # monotonic

    @property
    def ports(self) -> tuple[int, ...]:
        return self.started.ports

    def at_public_port(self, _client: int) -> int:
        """Where every client connects when there is one port for all."""
        return self.started.ports[0]

    def processes(self) -> list[Process]:
        return accounting.processes_of(self.started.sessions)

    def cpu_seconds(self) -> dict[int, float]:
        return accounting.cpu_seconds(self.processes())

    def cpu_since(self, before: dict[int, float]) -> dict[str, float]:
        """CPU seconds by part since `cpu_seconds` gave `before`."""
        processes = self.processes()
        after = accounting.cpu_seconds(processes)
        return accounting.cpu_spent(processes, before=before, after=after)

    def wait_until_stable(self) -> None:
        """Wait until its workers count as stable with their master."""
        time.sleep(max(0.0, self.since + self.server.seconds_to_stable - time.monotonic()))

    def memory_bytes(self) -> dict[str, float]:
        return accounting.memory_bytes(self.processes())


@contextmanager
def running(server: Server) -> Iterator[Running]:
    """The server, once each of its workers has answered; raises NotUp if one does not."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as scratch,
        server.start(Path(scratch)) as started,
    ):
        _wait_until_up(server, started)
        yield Running(server, started, time.monotonic())


def answering_pid(port: int, *, seconds: float = 2.0) -> int | None:
    """Which process answers a new connection now, if one does within the time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/pid", headers={"Connection": "close"})
        response = connection.getresponse()
        return int(response.read()) if response.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def answering_pids(
    ports: Sequence[int], *, count: int, while_true: Callable[[], object]
) -> set[int]:
    """Up to `count` processes that answer, as many as are found while the condition holds."""
    found, turns = set[int](), cycle(ports)
    while len(found) < count and while_true():
        if pid := answering_pid(next(turns)):
            found.add(pid)
        else:
            time.sleep(0.02)
    return found


def _wait_until_up(server: Server, started: Started) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    found = answering_pids(
        started.ports,
        count=server.workers,
        while_true=lambda: time.monotonic() < deadline and not started.ended(),
    )
    if len(found) < server.workers:
        last = started.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        raise NotUp(f"{len(found)} of {server.workers} workers came up", log="\n".join(last))
