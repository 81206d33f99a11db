"""One slot as the master sees it: its state, its worker's process, pipe and last signs of life."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field

from siocluster.errors import WireError
from siocluster.listeners import Listener
from siocluster.master.backoff import Backoff
from siocluster.master.lifecycle import ALIVE, Event, IllegalTransition, State, follow
from siocluster.master.spawn import Process
from siocluster.wire import Beat, Failed, Hello, Message, Ready

DUMP_SIGNAL = signal.SIGUSR2  # the worker writes its greenlets' stacks
AFTER_DUMP = 1.0  # seconds from the dump to SIGABRT
AFTER_ABORT = 1.0  # seconds from SIGABRT to SIGKILL
# Seconds that people may wait in the backlog of a slot without a worker. The front moves a new
# session on for 2 s after it has begun: one that was let go later would end in an error.
PATIENCE = 1.5


@dataclass(slots=True, eq=False)
class Slot:
    """Index, port and history; outlives its workers. All times are the master's monotonic clock."""

    index: int
    listener: Listener
    backoff: Backoff
    state: State = State.SPARE
    process: Process | None = None
    spawned_at: float = 0.0
    ready_at: float | None = None
    heard_at: float = 0.0
    due_at: float = 0.0
    stop_at: float | None = None
    unserved_since: float = 0.0
    boot_seconds: float = 0.0
    restarts: int = 0
    failed: Failed | None = None
    last_exit: str = ""
    secret_digest: str = ""
    connects: int = 0
    disconnects: int = 0
    clients: int = 0
    _condemned_at: float = 0.0
    _blows: list[signal.Signals] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.listener.address.port

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @property
    def ready(self) -> bool:
        return self.state is State.READY

    @property
    def settled(self) -> bool:
        """It serves, or it has failed to: nothing to wait for at the first start."""
        return self.state in (State.READY, State.SPARE, State.BACKOFF)

    def spawned(self, process: Process, *, now: float) -> None:
        self.state = follow(self.state, Event.SPAWN)
        self.process = process
        self.spawned_at = self.heard_at = now
        self.ready_at = None
        self.failed = None
        self.connects = self.disconnects = self.clients = 0

    def receive(self, *, now: float) -> Iterator[Message]:
        """What the worker has said since; applies each message before it hands it on.

        A worker that sends nonsense is condemned: it would never be understood.
        """
        if self.process is None:
            return
        try:
            for message in self.process.receive():
                self._apply(message, now=now)
                yield message
        except WireError as error:
            self.failed = Failed(message=error.message, hint=error.hint, exit_code=error.exit_code)
            self.condemn(now=now)
        except IllegalTransition as error:
            self.failed = Failed(message=f"The worker spoke out of turn: {error}.")
            self.condemn(now=now)

    def _apply(self, message: Message, *, now: float) -> None:
        self.heard_at = now
        match message:
            case Hello():
                self.state = follow(self.state, Event.HELLO)
            case Ready():
                self.state = follow(self.state, Event.READY)
                self._became_ready(message, now=now)
            case Failed():
                self.failed = message
            case Beat():
                self._count(message)

    def _became_ready(self, message: Ready, *, now: float) -> None:
        self.ready_at = now
        self.boot_seconds = now - self.spawned_at
        self.secret_digest = message.secret_digest
        # The worker listens before it says ready; the master may have muted it in between.
        self.listener.listen()

    def _count(self, beat: Beat) -> None:
        self.connects = max(self.connects, beat.connects)
        self.disconnects = min(max(self.disconnects, beat.disconnects), self.connects)
        self.clients = self.connects - self.disconnects

    def stop(self, *, now: float, seconds: float) -> None:
        """Drain the worker, or forget the one that was due; SIGKILL comes after `seconds`."""
        self.state = follow(self.state, Event.STOP)
        if self.process is None:
            self.listener.mute()
            return
        self.process.send_signal(signal.SIGTERM)
        self.stop_at = now + seconds

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)

    def condemn(self, *, now: float) -> None:
        """Start to end a worker that hangs: its stacks to the log, then abort, then kill."""
        if self.state is State.CONDEMNED:
            return
        self.state = follow(self.state, Event.CONDEMN)
        if self.state is not State.CONDEMNED:
            return
        self._condemned_at = now
        self._blows = [signal.SIGABRT, signal.SIGKILL]
        if self.process is not None:
            self.process.send_signal(DUMP_SIGNAL)

    def strike(self, *, now: float) -> None:
        """The next blow for a condemned worker whose time is up."""
        due = self.next_blow_at
        if self.process is not None and due is not None and now >= due:
            self.process.send_signal(self._blows.pop(0))

    @property
    def next_blow_at(self) -> float | None:
        """None when no blow is left: all that can come then is the exit."""
        if not self._blows:
            return None
        aborts_next = self._blows[0] is signal.SIGABRT
        return self._condemned_at + AFTER_DUMP + (0 if aborts_next else AFTER_ABORT)

    def exited(self, *, now: float) -> float:
        """The process is gone; returns the seconds until the next one is due."""
        assert self.process is not None
        self.process.close()
        self.last_exit = self.process.describe()
        self.state = follow(self.state, Event.EXIT)
        wait = self._wait(now=now)
        self.process = None
        self._blows = []
        self.stop_at = None
        self.clients = 0
        self.unserved_since = now
        self.due_at = now + wait
        if self.state is State.SPARE or self.ready_at is None or wait > PATIENCE:
            self.listener.mute()
        return wait

    def _wait(self, *, now: float) -> float:
        if self.state is State.SPARE:
            return 0.0
        self.restarts += 1
        return self.backoff.after_run(None if self.ready_at is None else now - self.ready_at)

    def lose_patience(self, *, now: float) -> None:
        """Mute a slot that has been without a worker for longer than people should wait."""
        booting = self.state in (State.SPAWNED, State.BOOTING)
        if booting and self.listener.listening and now >= self.patience_ends_at:
            self.listener.mute()

    @property
    def patience_ends_at(self) -> float:
        return self.unserved_since + PATIENCE
