"""Run an app by its own `socketio.run()`, and what every program under test needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from siocluster.master import embedded_redis
from tests.integration.processes import end_session
from tests.integration.waiting import SCALE, accepts, free_ports, wait_until

ROOT = Path(__file__).parent.parent.parent
APPS = ROOT / "tests" / "apps"
OUR_FRAMES = f"{ROOT / 'siocluster'}/"  # how the files in a traceback of ours begin
SECONDS_TO_STOP = 40 * SCALE


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
        return self.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended by itself; killed when it takes too long."""
        try:
            return self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not stop in {SECONDS_TO_STOP:g} s:\n{self.log()}") from None

    def lives(self) -> bool:
        """False once it has ended; for waits that would be in vain then."""
        return self.process.poll() is None


@contextmanager
def start_stock(
    script: Sequence[str], *, folder: Path = APPS, environ: Mapping[str, str] | None = None
) -> Iterator[RunningApp]:
    """`python SCRIPT` in `folder`: the app's own `socketio.run()`, on the port that PORT names."""
    (port,) = free_ports(1)
    environ = {**(environ or {}), "PORT": str(port)}
    with (
        TemporaryDirectory(prefix="app-") as scratch,
        launched([*script], scratch=Path(scratch), folder=folder, environ=environ) as process,
    ):
        app = RunningApp(
            url=f"http://127.0.0.1:{port}", process=process, scratch=Path(scratch), environ=environ
        )
        wait_until(lambda: started(app) and accepts(port), words="the app to listen", log=app.log)
        yield app


@contextmanager
def start_redis(*options: str) -> Iterator[str]:
    """The URL of a Redis of our own on a loopback port, without files."""
    (port,) = free_ports(1)
    with TemporaryDirectory(prefix="redis-") as folder:
        process = subprocess.Popen(
            [
                embedded_redis.find().path,
                "--bind",
                "127.0.0.1",
                "--port",
                str(port),
                "--save",
                "",
                *options,
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        with _ended(process):
            wait_until(lambda: accepts(port), words="Redis to listen")
            yield f"redis://127.0.0.1:{port}/0"


def started(app: RunningApp) -> bool:
    """True; an AssertionError with its log when it has ended instead."""
    assert app.lives(), f"ended too early (exit code {app.process.returncode}):\n{app.log()}"
    return True


@contextmanager
def launched(
    arguments: Sequence[str],
    *,
    scratch: Path,
    folder: Path,
    environ: Mapping[str, str],
) -> Iterator[subprocess.Popen[bytes]]:
    """`python ARGUMENTS` in a session of its own, which ends with the block, whatever happens."""
    with (scratch / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with _ended(process):
                yield process
        finally:
            end_session(process.pid)


def environment(environ: Mapping[str, str]) -> dict[str, str]:
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
