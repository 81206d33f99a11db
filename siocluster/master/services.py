"""The services that the master starts, Redis and nginx, each under a guard."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from siocluster.master.backoff import Backoff
from siocluster.master.spawn import describe_exit

log = logging.getLogger(__name__)
GUARD = Path(__file__).with_name("guard.py")


@dataclass(slots=True, eq=False)
class Service:
    """A program that is started again when it dies. Times are the master's monotonic clock."""

    name: str
    command: tuple[str, ...]
    folder: Path
    backoff: Backoff
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float | None = None
    restarts: int = 0

    @property
    def running(self) -> bool:
        return self.process is not None

    def start(self, *, now: float) -> None:
        """Start it; where the system will not, another start is due."""
        self.started_at, self.due_at = now, None
        try:
            self.process = subprocess.Popen(
                # Isolated and without site-packages: the guard needs neither, and starts faster.
                [sys.executable, "-I", "-S", str(GUARD), *self.command],
                stdin=subprocess.PIPE,
                cwd=self.folder,
                process_group=0,
            )
        except OSError as error:
            log.error("%s cannot be started: %s.", self.name, error)
            self._plan_next(now=now)

    def send_signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def poll(self, *, now: float) -> str | None:
        """How it ended, if it has; the next start is due then."""
        if self.process is None or self.process.poll() is None:
            return None
        code = self.process.returncode
        # A guard that was killed could not end the group; whoever is left of it goes now.
        self._kill_group()
        self._forget()
        self._plan_next(now=now)
        return describe_exit(code)

    def _plan_next(self, *, now: float) -> None:
        self.restarts += 1
        self.due_at = now + self.backoff.after_run(now - self.started_at)

    def kill(self) -> None:
        """SIGKILL to the guard, the service and all its children."""
        self._kill_group()
        if self.process is not None:
            self.process.wait()
            self._forget()

    def _kill_group(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _forget(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None
