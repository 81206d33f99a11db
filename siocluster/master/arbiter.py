"""The master's loop: everything that can happen, in the order in which it is looked at."""

from __future__ import annotations

import contextlib
import logging
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from enum import IntEnum

from siocluster.master.inspection import Inspection
from siocluster.master.services import Service
from siocluster.master.signals import SignalQueue
from siocluster.master.slot import Slot
from siocluster.master.spawn import Process
from siocluster.master.workers import Workers

log = logging.getLogger(__name__)
LATER = {
    signal.SIGHUP: "reload",
    signal.SIGTTIN: "one worker more",
    signal.SIGTTOU: "one worker less",
    signal.SIGUSR1: "reopen the logs",
    signal.SIGUSR2: "upgrade",
}
SECONDS_TO_KILL = 5.0
SERVICE_SECONDS = 10.0
CLIENT_LOG_SECONDS = 10.0
LONGEST_WAIT = 60.0


class Haste(IntEnum):
    """How soon the master shall end. It only grows."""

    NONE = 0
    CLEAN = 1
    NOW = 2


class StopRequested(Exception):
    """A signal asks the master to stop; raised out of whatever it was waiting for."""


class Arbiter:
    """Turns until told to stop. Owns nothing but the loop: workers and services are given."""

    def __init__(self) -> None:
        self.signals = SignalQueue()
        self.workers: Workers | None = None
        self.services: list[Service] = []
        self.haste = Haste.NONE
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.signals, selectors.EVENT_READ)
        self._told_clients = 0
        self._tell_clients_at = 0.0
        self._told_secrets = False

    def close(self) -> None:
        self._selector.close()
        self.signals.close()

    @staticmethod
    def now() -> float:
        """The clock of every deadline in the master."""
        return time.monotonic()

    @property
    def stopping(self) -> bool:
        return self.haste is not Haste.NONE

    # The loop

    def run(self) -> None:
        """Serve; returns by StopRequested alone."""
        while True:
            self.turn()

    def until(
        self, condition: Callable[[], bool], *, seconds: float, pause: float | None = None
    ) -> bool:
        """Turn until `condition` holds; returns whether it did in time.

        `pause` is for conditions that no descriptor announces: look that often.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            now = time.monotonic()
            if now >= deadline:
                return False
            self.turn(latest=min(deadline, now + pause) if pause else deadline)
        return True

    def turn(self, *, latest: float | None = None) -> None:
        self.wait(latest)
        self.take_signals()
        now = time.monotonic()
        self.tend_services(now=now)
        if self.workers is not None:
            self.tend_workers(self.workers, now=now)

    def tend_workers(self, workers: Workers, *, now: float) -> None:
        for slot in workers.reap(now=now):
            self._after_exit(slot, now=now)
        workers.condemn_silent(now=now)
        workers.strike_condemned(now=now)
        workers.lose_patience(now=now)
        if not self.stopping:
            workers.spawn_due(now=now)
        self._tell(workers, now=now)

    def wait(self, latest: float | None) -> None:
        """Sleep until something is said or the nearest deadline has come."""
        if self.workers is not None:
            self._watch_pipes(self.workers)
        now = time.monotonic()
        due = min([now + LONGEST_WAIT, latest or now + LONGEST_WAIT, *self._deadlines()])
        for key, _ in self._selector.select(max(0.0, due - now)):
            if isinstance(key.data, Slot):
                self._hear(key.data, key.fileobj)
            elif isinstance(key.data, Inspection):
                self._hear_inspection(key.data)

    def _deadlines(self) -> Iterator[float]:
        if self.workers is not None:
            yield from self.workers.deadlines()
        for service in self.services:
            if service.due_at is not None:
                yield service.due_at

    # Pipes

    def watch_inspection(self, inspection: Inspection) -> None:
        self._selector.register(inspection.process, selectors.EVENT_READ, inspection)

    def forget(self, process: Process) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(process)

    def _watch_pipes(self, workers: Workers) -> None:
        watched = {key.fileobj for key in self._selector.get_map().values()}
        for slot in workers.alive():
            process = slot.process
            if process is not None and process not in watched and not process.hung_up:
                self._selector.register(process, selectors.EVENT_READ, slot)

    def _hear(self, slot: Slot, process: object) -> None:
        assert self.workers is not None
        self.workers.hear(slot, now=time.monotonic())
        # The end of a pipe stays readable: it would keep the loop awake until the reaping.
        if isinstance(process, Process) and process.hung_up:
            self.forget(process)

    def _hear_inspection(self, inspection: Inspection) -> None:
        inspection.hear()
        if inspection.process.hung_up:
            self.forget(inspection.process)

    def _after_exit(self, slot: Slot, *, now: float) -> None:
        self._forget_closed()
        if self.stopping:
            slot.stop(now=now, seconds=0)

    def _forget_closed(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, Process) and key.fileobj.pipe.fileno() < 0:
                self._selector.unregister(key.fd)

    # Signals

    def take_signals(self) -> None:
        """Act on all that came; raises StopRequested once for each step nearer to the end."""
        before = self.haste
        for number in self.signals.take():
            if number in LATER:
                log.warning("%s (%s) has no effect yet.", number.name, LATER[number])
            else:
                self._hurry(number)
        if self.haste > before:
            raise StopRequested

    def _hurry(self, number: signal.Signals) -> None:
        """The first signal asks for a clean stop; a second one, or SIGQUIT, for the end now."""
        now = self.haste is not Haste.NONE or number is signal.SIGQUIT
        log.info("%s: stopping%s.", number.name, " now" if now else "")
        self.haste = Haste.NOW if now else Haste.CLEAN

    # Services

    def tend_services(self, *, now: float) -> None:
        for service in self.services:
            ended = service.poll(now=now)
            if self.stopping:
                service.due_at = None
                continue
            if ended is not None:
                wait = (service.due_at or now) - now
                log.error("%s died (%s); it is started again in %.1f s.", service.name, ended, wait)
            if service.due_at is not None and now >= service.due_at:
                service.start(now=now)

    # The end

    def stop(self, *, seconds: float) -> None:
        """Drain and end the workers, then the services; a second signal ends all now."""
        self.haste = max(self.haste, Haste.CLEAN)
        try:
            self._drain(0 if self.haste is Haste.NOW else seconds)
        except StopRequested:
            self._drain(0)
        for service in reversed(self.services):
            self._end_service(service)

    def _drain(self, seconds: float) -> None:
        workers = self.workers
        if workers is None:
            return
        now = time.monotonic()
        workers.stop(now=now, seconds=seconds)
        if self.until(lambda: not workers.alive(), seconds=seconds):
            return
        for slot in workers.alive():
            slot.kill()
        self.until(lambda: not workers.alive(), seconds=SECONDS_TO_KILL)

    def _end_service(self, service: Service) -> None:
        service.send_signal(signal.SIGTERM)
        with contextlib.suppress(StopRequested):
            self.until(lambda: not service.running, seconds=SERVICE_SECONDS)
        service.kill()

    # What is told

    def _tell(self, workers: Workers, *, now: float) -> None:
        if not self._told_secrets and workers.differing_secrets():
            self._told_secrets = True
            log.warning(
                "The workers have different secret keys: a session cookie that one of them signs"
                " is refused by the others. Set a fixed SECRET_KEY (an environment variable),"
                " not os.urandom() at import."
            )
        clients = workers.clients()
        if clients != self._told_clients and now >= self._tell_clients_at:
            self._told_clients, self._tell_clients_at = clients, now + CLIENT_LOG_SECONDS
            shares = ", ".join(f"worker {slot.index}: {slot.clients}" for slot in workers.ready())
            log.info("Clients: %d (%s).", clients, shares)
