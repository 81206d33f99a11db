"""Run an app by its own `socketio.run()`, or as a cluster. Both end with the `with` block."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent.parent
APPS = ROOT / "tests" / "apps"
SCALE = float(os.environ.get("SIOCLUSTER_TEST_SCALE", "1"))
SECONDS_TO_START = 30 * SCALE
SECONDS_TO_STOP = 40 * SCALE
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000  # below the ports that the kernel gives to clients


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningApp:
    """An app that answers at `url`. `worker_ports` is empty when it runs alone."""

    url: str
    process: subprocess.Popen[bytes]
    scratch: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    worker_ports: tuple[int, ...] = ()

    @property
    def run_dir(self) -> Path:
        return self.scratch / "run"

    def log(self) -> str:
        """All that it has written to stdout and stderr."""
        return (self.scratch / "log").read_text(errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and give its exit code; killed when it takes too long."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not stop in {SECONDS_TO_STOP:g} s:\n{self.log()}") from None


@contextmanager
def start_stock(
    script: Sequence[str], *, folder: Path = APPS, environ: Mapping[str, str] | None = None
) -> Iterator[RunningApp]:
    """`python SCRIPT` in `folder`: the app's own `socketio.run()`, on the port that PORT names."""
    (port,) = free_ports(1)
    environ = {**(environ or {}), "PORT": str(port)}
    with _process([*script], folder=folder, environ=environ) as (process, scratch):
        app = RunningApp(
            url=f"http://127.0.0.1:{port}", process=process, scratch=scratch, environ=environ
        )
        wait_until(lambda: accepts(port), app=app, words="the app to listen")
        yield app


@contextmanager
def start_cluster(
    target: str,
    *,
    workers: int = 2,
    options: Sequence[str] = (),
    folder: Path = APPS,
    environ: Mapping[str, str] | None = None,
) -> Iterator[RunningApp]:
    """`python cluster.py TARGET …` in `folder`, ready when the front and every worker say so."""
    bind, *ports = free_ports(1 + max(4, 2 * workers))
    command = [str(ROOT / "cluster.py"), target, "--workers", str(workers)]
    command += ["--bind", f"127.0.0.1:{bind}", "--base-port", str(ports[0]), *options]
    with _process(command, folder=folder, environ=environ or {}, own_run_dir=True) as (
        process,
        scratch,
    ):
        app = RunningApp(
            url=f"http://127.0.0.1:{bind}",
            process=process,
            scratch=scratch,
            environ=environ or {},
            worker_ports=tuple(ports[:workers]),
        )
        for port in (*app.worker_ports, bind):
            wait_until(lambda port=port: is_ready(port), app=app, words=f"/readyz on {port}")
        yield app


@contextmanager
def start_redis() -> Iterator[str]:
    """The URL of a Redis of our own on a loopback port, without files."""
    (port,) = free_ports(1)
    with TemporaryDirectory(prefix="redis-") as folder:
        process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""],
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        with _ended(process):
            wait_until(lambda: accepts(port), words="Redis to listen")
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _process(
    arguments: list[str], *, folder: Path, environ: Mapping[str, str], own_run_dir: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="app-")))
        log = stack.enter_context((scratch / "log").open("wb"))
        if own_run_dir:
            arguments = [*arguments, "--run-dir", str(scratch / "run")]
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=_environment(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        stack.enter_context(_ended(process))
        yield process, scratch


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Ours without what would decide for the app or the runner."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("SIOCLUSTER_") and key not in ("REDIS_URL", "WEB_CONCURRENCY")
    }
    return {**inherited, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **environ}


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process after the block, whatever happens in it."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(
    condition: Callable[[], bool],
    *,
    words: str,
    seconds: float = SECONDS_TO_START,
    app: RunningApp | None = None,
) -> None:
    """Look again and again; an AssertionError with the app's log when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        log = f"\n{app.log()}" if app else ""
        if app is not None and app.process.poll() is not None:
            raise AssertionError(f"ended (exit code {app.process.returncode}) before {words}{log}")
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {words}{log}")
        time.sleep(0.02)


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
            return response.status == 200
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """`count` ports in a row on which nobody listens."""
    for _ in range(200):
        first = random.randrange(LOWEST_PORT, HIGHEST_PORT - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return list(range(first, first + count))
    raise AssertionError(f"found no {count} free ports in a row")
