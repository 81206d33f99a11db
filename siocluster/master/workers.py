"""All slots of this master: spawn, reap, replace; what each needs next and when."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from siocluster.listeners import Listener
from siocluster.master.backoff import Backoff
from siocluster.master.lifecycle import State
from siocluster.master.slot import Slot
from siocluster.master.spawn import Process
from siocluster.settings import Settings
from siocluster.wire import Boot, Failed, Message, Ready

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
            Slot(index, listener, Backoff(settings.backoff, settings.backoff_max))
            for index, listener in enumerate(listeners)
        ]
        return cls(settings, environ, boot_for, slots)

    # Named questions

    def wanted(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.state is not State.SPARE]

    def alive(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.alive]

    def ready(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.ready]

    def unsettled(self) -> list[Slot]:
        return [slot for slot in self.slots if not slot.settled]

    def clients(self) -> int:
        return sum(slot.clients for slot in self.slots)

    def differing_secrets(self) -> bool:
        """Whether two ready workers have different secret keys."""
        return len({slot.secret_digest for slot in self.ready()}) > 1

    # What happens

    def spawn(self, slot: Slot, *, now: float) -> None:
        process = Process(self.boot_for(slot), environ=self.environ)
        slot.spawned(process, now=now)
        log.debug("Spawned worker %d, pid %d.", slot.index, process.pid)

    def reap(self, *, now: float) -> Iterator[Slot]:
        """Slots whose process has ended, after what they said last was heard."""
        for slot in self.alive():
            if slot.process is not None and slot.process.exited():
                list(self.hear(slot, now=now))
                was = slot.state
                wait = slot.exited(now=now)
                self._tell_exit(slot, was, wait)
                yield slot

    def hear(self, slot: Slot, *, now: float) -> Iterator[Message]:
        for message in slot.receive(now=now):
            if isinstance(message, Ready):
                self._tell_ready(slot, message)
            yield message

    def condemn_silent(self, *, now: float) -> None:
        for slot in self.alive():
            if slot.state in (State.SPAWNED, State.BOOTING):
                if now >= slot.spawned_at + self.settings.boot_timeout:
                    self._condemn_booting(slot, now=now)
            elif slot.ready and now >= slot.heard_at + self.settings.heartbeat_timeout:
                silent = now - slot.heard_at
                log.error(
                    "Worker %d, pid %d, has been silent for %.1f s: its hub is blocked.",
                    slot.index,
                    slot.process.pid if slot.process else 0,
                    silent,
                )
                slot.condemn(now=now)

    def _condemn_booting(self, slot: Slot, *, now: float) -> None:
        slot.failed = Failed(
            message=f"{self.settings.target} was not ready within"
            f" {self.settings.boot_timeout:g} s.",
            hint="Its import may wait for something: the stacks are above."
            " --boot-timeout gives it longer.",
            exit_code=3,
        )
        slot.condemn(now=now)

    def strike_condemned(self, *, now: float) -> None:
        for slot in self.alive():
            slot.strike(now=now)
            if slot.stop_at is not None and now >= slot.stop_at:
                log.warning("Worker %d did not stop in time: SIGKILL.", slot.index)
                slot.stop_at = None
                slot.kill()

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
            match slot.state:
                case State.SPARE:
                    continue
                case State.BACKOFF:
                    yield slot.due_at
                case State.SPAWNED | State.BOOTING:
                    yield slot.spawned_at + self.settings.boot_timeout
                    if slot.listener.listening:
                        yield slot.patience_ends_at
                case State.READY:
                    yield slot.heard_at + self.settings.heartbeat_timeout
                case State.CONDEMNED if slot.next_blow_at is not None:
                    yield slot.next_blow_at
            if slot.stop_at is not None:
                yield slot.stop_at

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

    def _tell_exit(self, slot: Slot, was: State, wait: float) -> None:
        if was is State.DRAINING:
            log.info("Worker %d has stopped (%s).", slot.index, slot.last_exit)
            return
        soon = f"next try in {wait:.1f} s" if wait else "a new one is started at once"
        if slot.ready_at is None:
            self._tell_boot_failure(slot, soon)
        else:
            log.error("Worker %d died (%s); %s.", slot.index, slot.last_exit, soon)

    def hold_failures(self) -> None:
        """Keep boot failures until `tell_failures`: if nobody boots, one error says it for all."""
        self.held = []

    def tell_failures(self) -> None:
        held, self.held = self.held or [], None
        for text in held:
            log.error("%s", text)

    def _tell_boot_failure(self, slot: Slot, soon: str) -> None:
        reason = self.reason(slot)
        self._tell_failure(f"Worker {slot.index} cannot boot ({slot.last_exit}); {soon}.")
        body = "\n".join(filter(None, [reason.message, reason.hint, reason.detail]))
        if self._is_new(slot.index, body):
            self._tell_failure(f"Worker {slot.index}: {body}")

    def _tell_failure(self, text: str) -> None:
        if self.held is None:
            log.error("%s", text)
        else:
            self.held.append(text)

    def reason(self, slot: Slot) -> Failed:
        """Why the slot's last worker could not boot."""
        return slot.failed or Failed(
            message=f"The worker ended ({slot.last_exit}) before it was ready."
        )

    def _is_new(self, index: int, text: str) -> bool:
        """Whether the slot says this for the first time."""
        new = (index, text) not in self.told_reasons
        self.told_reasons.add((index, text))
        return new
