"""Start a server's processes in sessions of their own, and leave none behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.accounting import processes_of

PR_SET_PDEATHSIG = 1
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000  # below the ports that the kernel gives to clients
SECONDS_TO_END = 10.0
DECIDING = ("REDIS_URL", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "NODE_OPTIONS")


@contextmanager
def launched(
    command: Sequence[str], *, folder: Path, log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command; after the block nobody of its session is left, whatever happens."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_environment(), **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    try:
        yield process
    finally:
        _end(process)


def free_ports(count: int) -> int:
    """The first of `count` ports in a row on which nobody listens."""
    for _ in range(200):
        first = random.randrange(LOWEST_PORT, HIGHEST_PORT - count)
        if all(map(_is_free, range(first, first + count))):
            return first
    raise OSError(f"found no {count} free ports in a row")


def wait_for_port(port: int, *, seconds: float = 10.0) -> None:
    """Wait until somebody listens there; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not _accepts(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody listens on port {port} after {seconds:g} s")
        time.sleep(0.01)


def kill(pids: Collection[int]) -> None:
    """SIGKILL; who has gone already is no matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """At once: how a server stops is not measured, and nothing that it wrote is kept."""
    # A process may be born while the list is read: look until nobody is there.
    deadline = time.monotonic() + SECONDS_TO_END
    while left := processes_of([process.pid]):
        kill([member.pid for member in left])
        process.poll()
        if time.monotonic() > deadline:
            raise OSError(f"these processes cannot be ended: {left}")
        time.sleep(0.01)
    process.wait()


def _environment() -> dict[str, str]:
    """Ours without what would decide for a server."""
    return {
        key: value
        for key, value in os.environ.items()
        if key not in DECIDING and not key.startswith("SIOCLUSTER_")
    }


def _die_with_parent() -> None:
    """Should the bench itself be killed: every server's own processes follow their master."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
