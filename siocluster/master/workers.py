"""All slots of this master: spawn, reap, replace; what each needs next and when."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from siocluster.errors import EXIT_TARGET, SpawnError
from siocluster.listeners import Listener
from siocluster.master.backoff import Backoff
from siocluster.master.lifecycle import State
from siocluster.master.run import Run
from siocluster.master.slot import Slot
from siocluster.master.spawn import Process
from siocluster.settings import Settings
from siocluster.wire import Boot, Failed, Ready

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Workers:
    """The pool. `boot_for` gives what a slot's worker is told; `now` is a monotonic clock."""

    settings: Settings
    environ: Mapping[str, str]
    boot_for: Callable[[Slot], Boot]
    slots: list[Slot] = field(default_factory=list)
    told_reasons: set[tuple[int, str]] = field(default_factory=set)
    held: list[str] | None = None

    @classmethod
    def on(
        cls,
        listeners: list[Listener],
        settings: Settings,
        *,
        environ: Mapping[str, str],
        boot_for: Callable[[Slot], Boot],
    ) -> Workers:
        slots = [
            Slot(
                index,
                listener,
                Backoff(settings.backoff, settings.backoff_max),
                silence=settings.heartbeat_timeout / 2,
            )
            for index, listener in enumerate(listeners)
        ]
        return cls(settings, environ, boot_for, slots)

    # Named questions

    def wanted(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.state is not State.SPARE]

    def alive(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.alive]

    def living(self) -> list[tuple[Slot, Run]]:
        """Slots with a worker, and that worker's run."""
        return [(slot, run) for slot in self.slots if (run := slot.living)]

    def ready(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.ready]

    def unsettled(self) -> list[Slot]:
        return [slot for slot in self.slots if not slot.settled]

    def clients(self) -> int:
        return sum(slot.clients for slot in self.slots)

    def differing_secrets(self) -> bool:
        """Whether two ready workers have different secret keys."""
        return len({run.secret_digest for slot, run in self.living() if slot.ready}) > 1

    # What happens

    def spawn(self, slot: Slot, *, now: float) -> None:
        try:
            process = Process(self.boot_for(slot), environ=self.environ)
        except SpawnError as error:
            self._tell_not_spawned(slot, error, now=now)
            return
        slot.spawned(process, now=now)
        log.debug("Spawned worker %d, pid %d.", slot.index, process.pid)

    def _tell_not_spawned(self, slot: Slot, error: SpawnError, *, now: float) -> None:
        reason = Failed(message=error.message, hint=error.hint, exit_code=error.exit_code)
        wait = slot.could_not_spawn(reason, now=now)
        self._tell_failure(f"Worker {slot.index} has no process; next try in {wait:.1f} s.")
        self._tell_reason(slot, reason, self._tell_failure)

    def reap(self, *, now: float) -> Iterator[Slot]:
        """Slots whose process has ended, after what they said last was heard."""
        for slot, run in self.living():
            if run.process.exited():
                self.hear(slot, now=now)
                was = slot.state
                wait = slot.exited(now=now)
                self._tell_exit(slot, run, was=was, wait=wait)
                yield slot

    def hear(self, slot: Slot, *, now: float) -> None:
        for message in slot.receive(now=now):
            if isinstance(message, Ready):
                self._tell_ready(slot, message)

    def condemn_silent(self, *, now: float) -> None:
        for slot, run in self.living():
            if slot.state in (State.SPAWNED, State.BOOTING):
                if now >= run.spawned_at + self.settings.boot_timeout:
                    self._condemn_booting(slot, now=now)
            elif slot.ready and now >= run.heard_at + self.settings.heartbeat_timeout:
                log.error(
                    "Worker %d, pid %d, has been silent for %.1f s: its hub is blocked.",
                    slot.index,
                    run.process.pid,
                    now - run.heard_at,
                )
                slot.condemn(now=now)

    def _condemn_booting(self, slot: Slot, *, now: float) -> None:
        too_late = Failed(
            message=f"{self.settings.target} was not ready within"
            f" {self.settings.boot_timeout:g} s.",
            hint="Its import may wait for something: the stacks are above."
            " --boot-timeout gives it longer.",
            exit_code=EXIT_TARGET,
        )
        slot.condemn(now=now, reason=too_late)

    def strike_condemned(self, *, now: float) -> None:
        for slot, run in self.living():
            run.strike(now=now)
            if run.stop_at is not None and now >= run.stop_at:
                log.warning("Worker %d did not stop in time: SIGKILL.", slot.index)
                run.stop_at = None
                run.kill()

    def lose_patience(self, *, now: float) -> None:
        for slot in self.alive():
            slot.lose_patience(now=now)

    def spawn_due(self, *, now: float) -> None:
        for slot in self.slots:
            if slot.state is State.BACKOFF and now >= slot.due_at:
                self.spawn(slot, now=now)

    def stop(self, *, now: float, seconds: float) -> None:
        for slot in self.wanted():
            slot.stop(now=now, seconds=seconds)

    def deadlines(self) -> Iterator[float]:
        """When something is due, were nothing to happen before."""
        for slot in self.slots:
            if slot.state is State.BACKOFF:
                yield slot.due_at
        for slot, run in self.living():
            yield from self._deadlines_of(slot, run)

    def _deadlines_of(self, slot: Slot, run: Run) -> Iterator[float]:
        match slot.state:
            case State.SPAWNED | State.BOOTING:
                yield run.spawned_at + self.settings.boot_timeout
            case State.READY:
                yield run.heard_at + self.settings.heartbeat_timeout
            case State.CONDEMNED if run.next_blow_at is not None:
                yield run.next_blow_at
        if slot.listener.listening and slot.patience_ends_at is not None:
            yield slot.patience_ends_at
        if run.stop_at is not None:
            yield run.stop_at

    # What is told

    def _tell_ready(self, slot: Slot, message: Ready) -> None:
        pid = slot.process.pid if slot.process else 0
        # The first time, the screen says so.
        log.log(
            logging.INFO if slot.restarts else logging.DEBUG,
            "Worker %d :%d is ready after %.1f s, pid %d.",
            slot.index,
            slot.port,
            slot.boot_seconds,
            pid,
        )
        for note in message.notes:
            if self._is_new(slot.index, note):
                log.warning("Worker %d: %s", slot.index, note)

    def _tell_exit(self, slot: Slot, run: Run, *, was: State, wait: float) -> None:
        if was is State.DRAINING:
            log.info("Worker %d has stopped (%s).", slot.index, run.ended)
            return
        soon = f"next try in {wait:.1f} s" if wait else "a new one is started at once"
        if run.ready_at is None:
            self._tell_failure(f"Worker {slot.index} cannot boot ({run.ended}); {soon}.")
            self._tell_reason(slot, run.reason, self._tell_failure)
        else:
            log.error("Worker %d died (%s); %s.", slot.index, run.ended, soon)
            if run.failed is not None:
                self._tell_reason(slot, run.failed, log.error)

    def hold_failures(self) -> None:
        """Keep boot failures until `tell_failures`: if nobody boots, one error says it for all."""
        self.held = []

    def tell_failures(self) -> None:
        held, self.held = self.held or [], None
        for text in held:
            log.error("%s", text)

    def _tell_reason(self, slot: Slot, reason: Failed, tell: Callable[[str], None]) -> None:
        body = "\n".join(filter(None, [reason.message, reason.hint, reason.detail]))
        if self._is_new(slot.index, body):
            tell(f"Worker {slot.index}: {body}")

    def _tell_failure(self, text: str) -> None:
        if self.held is None:
            log.error("%s", text)
        else:
            self.held.append(text)

    def _is_new(self, index: int, text: str) -> bool:
        """Whether the slot says this for the first time."""
        new = (index, text) not in self.told_reasons
        self.told_reasons.add((index, text))
        return new
