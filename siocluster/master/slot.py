"""One slot as the master sees it: its state, its port, and its worker's run."""

from __future__ import annotations

from dataclasses import dataclass

from siocluster.errors import WireError
from siocluster.listeners import Listener
from siocluster.master.backoff import Backoff
from siocluster.master.lifecycle import ALIVE, Event, IllegalTransition, State, follow
from siocluster.master.run import Run
from siocluster.master.spawn import Process
from siocluster.wire import Failed, Hello, Message, Ready

# Seconds that people may wait in the backlog of a slot without a worker. The front moves a new
# session on for 2 s after it has begun: one that was let go later would end in an error.
PATIENCE = 1.5


@dataclass(slots=True, eq=False)
class Slot:
    """Outlives its workers. All times are the master's monotonic clock.

    `run` is the worker's that lives, else the last one's; None before the first.
    """

    index: int
    listener: Listener
    backoff: Backoff
    silence: float  # seconds without a beat after which new sessions had better go elsewhere
    state: State = State.SPARE
    run: Run | None = None
    not_spawned: Failed | None = None  # why there is no run though one was due
    restarts: int = 0
    due_at: float = 0.0
    unserved_since: float = 0.0

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

    # Its living worker

    @property
    def living(self) -> Run | None:
        return self.run if self.alive else None

    @property
    def process(self) -> Process | None:
        return self.living.process if self.living else None

    @property
    def clients(self) -> int:
        return self.living.clients if self.living else 0

    @property
    def boot_seconds(self) -> float:
        return self.living.boot_seconds if self.living else 0.0

    # What happens

    def spawned(self, process: Process, *, now: float) -> None:
        self.state = follow(self.state, Event.SPAWN)
        self.run = Run(process, spawned_at=now, heard_at=now)
        self.not_spawned = None

    def could_not_spawn(self, reason: Failed, *, now: float) -> float:
        """The system would not start a process; returns the seconds until the next try."""
        self.state = follow(follow(self.state, Event.SPAWN), Event.EXIT)
        self.run, self.not_spawned = None, reason
        wait = self._wait(None)
        self.unserved_since, self.due_at = now, now + wait
        self.listener.mute()
        return wait

    @property
    def reason(self) -> Failed:
        """Why its last worker could not boot."""
        if self.run is not None:
            return self.run.reason
        return self.not_spawned or Failed(message="Nobody has tried to boot it.")

    def receive(self, *, now: float) -> list[Message]:
        """What the worker has said since, each message applied.

        A worker that sends nonsense is condemned: it would never be understood.
        """
        heard: list[Message] = []
        run = self.living
        if run is None:
            return heard
        try:
            for message in run.process.receive():
                self._apply(message, run, now=now)
                heard.append(message)
        except WireError as error:
            nonsense = Failed(message=error.message, hint=error.hint, exit_code=error.exit_code)
            self.condemn(now=now, reason=nonsense)
        except IllegalTransition as error:
            out_of_turn = Failed(message=f"The worker spoke out of turn: {error}.")
            self.condemn(now=now, reason=out_of_turn)
        return heard

    def _apply(self, message: Message, run: Run, *, now: float) -> None:
        match message:
            case Hello():
                self.state = follow(self.state, Event.HELLO)
            case Ready():
                self.state = follow(self.state, Event.READY)
        run.heard(message, now=now)
        # A worker listens before it says ready. Muted while it booted or was silent, it is not now.
        if self.ready and not self.listener.listening:
            self.listener.listen()

    def stop(self, *, now: float, seconds: float) -> None:
        """Drain the worker, or forget the one that was due; SIGKILL comes after `seconds`."""
        self.state = follow(self.state, Event.STOP)
        if self.living is None:
            self.listener.mute()
        else:
            self.living.stop(now=now, seconds=seconds)

    def kill(self) -> None:
        if self.living is not None:
            self.living.kill()

    def condemn(self, *, now: float, reason: Failed | None = None) -> None:
        """Start to end a worker that hangs or talks nonsense; `reason` is told at its exit."""
        if self.state is State.CONDEMNED:
            return
        self.state = follow(self.state, Event.CONDEMN)
        assert self.run is not None
        self.run.failed = reason or self.run.failed
        # A draining worker stays one: the graceful timeout ends it anyway.
        if self.state is State.CONDEMNED:
            self.run.condemn(now=now)

    def exited(self, *, now: float) -> float:
        """The process is gone; returns the seconds until the next one is due."""
        self.state = follow(self.state, Event.EXIT)
        run = self.run
        assert run is not None
        run.end()
        wait = self._wait(run.seconds_ready(now=now))
        self.unserved_since, self.due_at = now, now + wait
        if self.state is State.SPARE or run.ready_at is None or wait > PATIENCE:
            self.listener.mute()
        return wait

    def _wait(self, seconds_ready: float | None) -> float:
        if self.state is State.SPARE:
            return 0.0
        self.restarts += 1
        return self.backoff.after_run(seconds_ready)

    def lose_patience(self, *, now: float) -> None:
        """Mute a slot that keeps people waiting: its worker boots for long, or is silent."""
        end = self.patience_ends_at
        if self.listener.listening and end is not None and now >= end:
            self.listener.mute()

    @property
    def patience_ends_at(self) -> float | None:
        """None where nobody waits in vain."""
        match self.state:
            case State.SPAWNED | State.BOOTING:
                return self.unserved_since + PATIENCE
            case State.READY if self.run is not None:
                return self.run.heard_at + self.silence
        return None
