"""One worker's run as the master sees it: its process, its signs of life, how it is ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field

from siocluster.master.spawn import Process
from siocluster.wire import Beat, Failed, Message, Ready

DUMP_SIGNAL = signal.SIGUSR2  # the worker writes its greenlets' stacks
AFTER_DUMP = 1.0  # seconds from the dump to SIGABRT
AFTER_ABORT = 1.0  # seconds from SIGABRT to SIGKILL


@dataclass(slots=True, eq=False)
class Run:
    """Begins with a spawn; stays to be asked after its end. Times are the master's clock."""

    process: Process
    spawned_at: float
    heard_at: float
    ready_at: float | None = None
    stop_at: float | None = None  # when a worker that was told to stop is killed
    connects: int = 0
    disconnects: int = 0
    secret_digest: str = ""
    failed: Failed | None = None
    ended: str = ""  # how, in words
    _blows: list[tuple[float, signal.Signals]] = field(default_factory=list)

    @property
    def clients(self) -> int:
        return self.connects - self.disconnects

    @property
    def boot_seconds(self) -> float:
        """From spawn to ready; 0 for a worker that is not."""
        return 0.0 if self.ready_at is None else self.ready_at - self.spawned_at

    def seconds_ready(self, *, now: float) -> float | None:
        """None for a worker that never was."""
        return None if self.ready_at is None else now - self.ready_at

    @property
    def reason(self) -> Failed:
        """Why it could not boot."""
        return self.failed or Failed(
            message=f"The worker ended ({self.ended}) before it was ready."
        )

    def heard(self, message: Message, *, now: float) -> None:
        """Take down what the worker has said, and that it lives."""
        self.heard_at = now
        match message:
            case Ready():
                self.ready_at = now
                self.secret_digest = message.secret_digest
            case Failed():
                self.failed = message
            case Beat():
                self.connects = max(self.connects, message.connects)
                most = max(self.disconnects, message.disconnects)
                self.disconnects = min(most, self.connects)

    def stop(self, *, now: float, seconds: float) -> None:
        """Let it drain; it may take so long."""
        self.process.send_signal(signal.SIGTERM)
        self.stop_at = now + seconds

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def condemn(self, *, now: float) -> None:
        """Its stacks to the log now, then abort, then kill."""
        aborted_at = now + AFTER_DUMP
        self._blows = [(aborted_at, signal.SIGABRT), (aborted_at + AFTER_ABORT, signal.SIGKILL)]
        self.process.send_signal(DUMP_SIGNAL)

    def strike(self, *, now: float) -> None:
        """The next blow for a condemned worker whose time is up."""
        if self._blows and now >= self._blows[0][0]:
            self.process.send_signal(self._blows.pop(0)[1])

    @property
    def next_blow_at(self) -> float | None:
        """None when no blow is left: all that can come then is the exit."""
        return self._blows[0][0] if self._blows else None

    def end(self) -> None:
        """The process is gone."""
        self.process.close()
        self.ended = self.process.describe()
