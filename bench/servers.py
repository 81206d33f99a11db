"""The servers that are compared. A new one is a function that starts it and a line in SERVERS."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.launch import free_ports, launched, wait_for_port
from siocluster.master.backoff import STABLE_SECONDS

ROOT = Path(__file__).parent.parent
APPS = Path(__file__).parent / "apps"
WORKERS = 2
SLOTS = 4
NODE_MODULES = "BENCH_NODE_MODULES"
NODE_PACKAGES = ("socket.io", "@socket.io/redis-adapter", "redis")


@dataclass(frozen=True, slots=True)
class Started:
    """A server that has been started, and may not answer yet.

    `ports` are where clients connect: one public one, or one for each worker. All that it runs
    lives in the sessions of `processes`. `redis_port` is told where somebody asks that Redis.
    """

    ports: tuple[int, ...]
    processes: tuple[subprocess.Popen[bytes], ...]
    log: Path
    redis_port: int = 0

    @property
    def sessions(self) -> tuple[int, ...]:
        return tuple(process.pid for process in self.processes)

    def ended(self) -> bool:
        """Whether one of them is gone by itself: the others need not be waited for."""
        return any(process.poll() is not None for process in self.processes)


Start = Callable[[Path], AbstractContextManager[Started]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`start` gets an empty folder. `absent` says why it cannot run here, or nothing."""

    name: str
    words: str
    workers: int
    start: Start
    absent: Callable[[], str]
    seconds_to_stable: float = 0.0  # a worker that dies younger is held back before its restart
    recovers: bool = False  # gives a client that was away what it has missed


def always_there() -> str:
    return ""


@contextmanager
def start_stock(scratch: Path) -> Iterator[Started]:
    port = free_ports(1)
    with run([sys.executable, "stock.py", str(port)], scratch) as process:
        yield Started((port,), (process,), scratch / "log")


@contextmanager
def start_siocluster(scratch: Path) -> Iterator[Started]:
    port = free_ports(1 + SLOTS)
    command = [sys.executable, str(ROOT / "cluster.py"), "room_app:socketio"]
    command += ["--workers", str(WORKERS), "--slots", str(SLOTS), "--run-dir", str(scratch / "run")]
    command += ["--bind", f"127.0.0.1:{port}", "--base-port", str(port + 1)]
    command += ["--front", "nginx", "--redis", "embedded"]
    with run(command, scratch) as process:
        yield Started((port,), (process,), scratch / "log")


def siocluster_absent() -> str:
    missing = [name for name in ("nginx", "redis-server") if not shutil.which(name)]
    return f"no {' and no '.join(missing)} on PATH" if missing else ""


@contextmanager
def start_gunicorn(scratch: Path) -> Iterator[Started]:
    port = free_ports(1)
    command = [sys.executable, "-m", "gunicorn", "room_app:app", "--workers", "1"]
    command += ["--worker-class", "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"]
    command += ["--bind", f"127.0.0.1:{port}"]
    with run(command, scratch) as process:
        yield Started((port,), (process,), scratch / "log")


def gunicorn_absent() -> str:
    if importlib.util.find_spec("gunicorn"):
        return ""
    return "gunicorn is not installed: pip install gunicorn"


@contextmanager
def start_node(scratch: Path) -> Iterator[Started]:
    port = free_ports(2)
    redis_port = port + 1
    command = ["node", str(APPS / "room_app.cjs"), str(port), str(WORKERS)]
    command += [f"redis://127.0.0.1:{redis_port}"]
    with redis_on(redis_port, scratch) as store, run(command, scratch) as process:
        yield Started((port,), (process, store), scratch / "log")


@contextmanager
def redis_on(port: int, scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Redis that writes no file."""
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with run(command, scratch, folder=scratch) as process:
        wait_for_port(port)
        yield process


def node_absent() -> str:
    missing = [name for name in ("node", "redis-server") if not shutil.which(name)]
    if missing:
        return f"no {' and no '.join(missing)} on PATH"
    modules = os.environ.get(NODE_MODULES, "")
    absent = [name for name in NODE_PACKAGES if not (Path(modules) / name).is_dir()]
    if not modules or absent:
        return (
            f"npm install --prefix DIR {' '.join(NODE_PACKAGES)},"
            f" then {NODE_MODULES}=DIR/node_modules"
        )
    return ""


SERVERS = (
    Server(
        name="stock",
        words="socketio.run(), one process",
        workers=1,
        start=start_stock,
        absent=always_there,
    ),
    Server(
        name="siocluster",
        words=f"{WORKERS} workers, nginx, Redis",
        workers=WORKERS,
        start=start_siocluster,
        absent=siocluster_absent,
        seconds_to_stable=STABLE_SECONDS,
    ),
    Server(
        name="gunicorn",
        words="-k GeventWebSocketWorker -w 1",
        workers=1,
        start=start_gunicorn,
        absent=gunicorn_absent,
    ),
    Server(
        name="node",
        words=f"Socket.IO in Node: cluster of {WORKERS} workers, Redis",
        workers=WORKERS,
        start=start_node,
        absent=node_absent,
    ),
)


def run(
    command: list[str], scratch: Path, *, folder: Path = APPS, queue: str = ""
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A part of a server; what it says goes into the log. `queue` is the app's message queue."""
    environ = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "NODE_PATH": os.environ.get(NODE_MODULES, ""),
        "TMPDIR": str(scratch),
        "BENCH_MESSAGE_QUEUE": queue,
    }
    return launched(command, folder=folder, log=scratch / "log", environ=environ)
