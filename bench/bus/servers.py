"""The clusters that are compared: the same app, Redis and transport; clients go to the workers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.launch import free_ports
from bench.servers import ROOT, Server, Started, redis_on, run

STOCK, OURS, LOCAL = "stock", "siocluster", "local"


def servers(workers: int) -> list[Server]:
    return [
        Server(
            name=STOCK,
            words="socketio.run() by hand, message_queue=redis://",
            workers=workers,
            start=partial(start_stock, workers),
            absent=absent,
        ),
        Server(
            name=OURS,
            words="siocluster, no front, the same Redis",
            workers=workers,
            start=partial(start_ours, workers, []),
            absent=absent,
            recovers=True,
        ),
    ]


def with_local(workers: int) -> list[Server]:
    """And ours with emits to one client that are not stored."""
    local = Server(
        name=LOCAL,
        words="siocluster --direct local",
        workers=workers,
        start=partial(start_ours, workers, ["--direct", "local"]),
        absent=absent,
    )
    return [*servers(workers), local]


def absent() -> str:
    return "" if shutil.which("redis-server") else "no redis-server on PATH"


@contextmanager
def start_stock(workers: int, scratch: Path) -> Iterator[Started]:
    """What Flask-SocketIO's documentation says: a server on each port, one message queue."""
    redis_port = free_ports(1 + workers)
    ports = tuple(range(redis_port + 1, redis_port + 1 + workers))
    url = f"redis://127.0.0.1:{redis_port}"
    with ExitStack() as stack:
        processes = [stack.enter_context(redis_on(redis_port, scratch))]
        for port in ports:
            command = [sys.executable, "stock.py", str(port)]
            processes.append(stack.enter_context(run(command, scratch, queue=url)))
        yield Started(ports, tuple(processes), scratch / "log", redis_port)


@contextmanager
def start_ours(workers: int, options: list[str], scratch: Path) -> Iterator[Started]:
    redis_port = free_ports(1 + workers)
    ports = tuple(range(redis_port + 1, redis_port + 1 + workers))
    command = [sys.executable, str(ROOT / "cluster.py"), "room_app:socketio", *options]
    command += ["--workers", str(workers), "--slots", str(workers), "--base-port", str(ports[0])]
    command += ["--front", "none", "--redis", f"redis://127.0.0.1:{redis_port}"]
    command += ["--run-dir", str(scratch / "run")]
    with redis_on(redis_port, scratch) as store, run(command, scratch) as process:
        yield Started(ports, (store, process), scratch / "log", redis_port)
