"""From settings to a serving cluster, step by step; and back when a step fails."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import setproctitle

from siocluster import listeners, machine
from siocluster.errors import EXIT_OK, ReportedError
from siocluster.front.binary import Binary
from siocluster.master import front, redis_service
from siocluster.master.arbiter import Arbiter, StopRequested
from siocluster.master.backoff import Backoff
from siocluster.master.inspection import Inspection, owner, reported
from siocluster.master.run import DUMP_SIGNAL
from siocluster.master.rundir import RunDir, open_run_dir
from siocluster.master.screen import FRAME_SECONDS, Screen
from siocluster.master.services import Service
from siocluster.master.slot import Slot
from siocluster.master.workers import Workers
from siocluster.options import Address
from siocluster.settings import Settings
from siocluster.wire import Boot, Failed, Inspected

log = logging.getLogger(__name__)
SECONDS_FOR_REDIS = 120  # a large append-only file takes its time
SECONDS_FOR_STACKS = 1.0
OWN_FRONT = ("127.0.0.1/32", "::1/128")


def run(settings: Settings, *, environ: Mapping[str, str], folder: Path, screen: Screen) -> int:
    """Run the cluster in the foreground; returns the exit code, raises SioclusterError."""
    with ExitStack() as stack:
        run_dir = open_run_dir(settings.run_dir)
        stack.callback(run_dir.close)
        arbiter = Arbiter()
        stack.callback(arbiter.close)
        start = Start(settings, environ, folder, screen, run_dir, arbiter)
        stack.callback(start.stop)
        try:
            start.all()
            arbiter.run()
        except StopRequested:
            screen.clear()
    return EXIT_OK


@dataclass(slots=True)
class Start:
    """The steps of a start, in order. Each may raise SioclusterError or StopRequested."""

    settings: Settings
    environ: Mapping[str, str]
    folder: Path
    screen: Screen
    run_dir: RunDir
    arbiter: Arbiter
    cluster_key: str = ""
    redis: str = ""
    channel: str = ""
    listeners: tuple[listeners.Listener, ...] = ()
    inspection: Inspection | None = None

    def all(self) -> None:
        self.cluster_key = secrets.token_hex(32)
        setproctitle.setproctitle(f"siocluster: master {self.settings.name} {self.settings.bind}")
        program = front.choose(self.settings)
        self.bind(public=program is not None)
        found = self.inspect()
        self.start_redis(found)
        self.start_workers()
        self.start_front(program, found)

    def stop(self) -> None:
        if self.inspection is not None:
            self.arbiter.forget(self.inspection.process)
            self.inspection.process.kill()
        self.arbiter.stop(seconds=self.settings.graceful_timeout)
        for listener in self.listeners:
            listener.close()

    def bind(self, *, public: bool) -> None:
        """All worker ports or none; the public one is only tried, nginx binds it."""
        if public:
            listeners.check_free(self.settings.bind)
        self.listeners = tuple(
            listeners.bind_all(
                [
                    Address(self.settings.worker_bind, self.settings.base_port + index)
                    for index in range(self.settings.slots)
                ]
            )
        )

    def inspect(self) -> Inspected:
        inspection = Inspection(self.settings, folder=self.folder, environ=self.environ)
        self.inspection = inspection
        self.arbiter.watch_inspection(inspection)
        if not self.arbiter.until(lambda: inspection.done, seconds=self.settings.boot_timeout):
            inspection.process.send_signal(DUMP_SIGNAL)
            self.arbiter.until(lambda: inspection.process.exited(), seconds=SECONDS_FOR_STACKS)
            raise inspection.too_late()
        found = inspection.result()
        for note in found.notes:
            log.warning("%s", note)
        self.screen.fact("app", f"{self.settings.target}, Socket.IO at {self.path(found)}")
        return found

    def path(self, found: Inspected) -> str:
        return self.settings.path or found.path

    # Redis

    def start_redis(self, found: Inspected) -> None:
        self.channel = f"siocluster:{self.settings.name}"
        if found.redis:
            self.redis = found.redis
            self.screen.fact("redis", f"{found.redis_version}, named by {found.redis_origin}")
            return
        redis = redis_service.prepare(self.settings, self.run_dir, backoff=self._backoff())
        self._serve(redis.service)
        self.arbiter.until(redis.settled, seconds=SECONDS_FOR_REDIS, pause=0.02)
        if not redis.answers():
            raise redis.does_not_start()
        self.redis = redis.url
        self.screen.fact("redis", f"{redis.program.title} ({redis.program.origin})")
        folder = self._shown(self.settings.data_dir)
        self.screen.fact("", f"started here, {found.redis_origin}; data in {folder}")

    def _shown(self, path: Path) -> Path:
        return path.relative_to(self.folder) if path.is_relative_to(self.folder) else path

    # Workers

    def start_workers(self) -> None:
        workers = Workers.on(
            list(self.listeners), self.settings, environ=self.environ, boot_for=self.boot_for
        )
        self.arbiter.workers = workers
        wanted = workers.slots[: self.settings.workers]
        self.screen.begin(wanted)
        workers.hold_failures()
        for slot in wanted:
            workers.spawn(slot, now=self.arbiter.now())
        untold, reasons = list(wanted), []
        while untold:
            self.screen.progress(wanted)
            self.arbiter.until(lambda: any(slot.settled for slot in untold), seconds=FRAME_SECONDS)
            for slot in [slot for slot in untold if slot.settled]:
                untold.remove(slot)
                self.screen.worker(slot)
                if not slot.ready:
                    # Now: its next worker may be spawned before the last slot has settled.
                    reasons.append(workers.reason(slot))
        if len(reasons) == len(wanted) and not workers.ready():
            raise self._nobody_boots(reasons)
        workers.tell_failures()

    def _nobody_boots(self, reasons: list[Failed]) -> ReportedError:
        """One error for all slots: the first reason, and what others said."""
        error = reported(reasons[0])
        others = {reason.message for reason in reasons[1:]} - {reasons[0].message}
        if others:
            error.detail = "\n".join(["Other workers said:", *sorted(others), error.detail])
        error.message = f"No worker can boot. {error.message}"
        return error

    def boot_for(self, slot: Slot) -> Boot:
        return Boot(
            purpose="serve",
            target=self.settings.target,
            folder=str(self.folder),
            name=self.settings.name,
            node=self.settings.node,
            slot=slot.index,
            port=slot.port,
            listener=slot.listener.fileno(),
            redis=self.redis,
            channel=self.channel,
            cluster_key=self.cluster_key,
            owner="" if self.redis.startswith("unix://") else owner(self.settings),
            trusted_peers=self._trusted_peers(),
            health_path=self.settings.health_path,
            graceful_timeout=self.settings.graceful_timeout,
            heartbeat_seconds=min(1.0, self.settings.heartbeat_timeout / 5),
            log_format=self.settings.log_format,
            log_level=self.settings.log_level,
        )

    def _trusted_peers(self) -> tuple[str, ...]:
        own = () if self.settings.front == "none" else OWN_FRONT
        return (*own, *self.settings.forwarded_allow_ips)

    # nginx

    def start_front(self, program: Binary | None, found: Inspected) -> None:
        if program is None:
            self._say_no_front()
            return
        static = front.absolute_static(self.settings, self.folder)
        site = front.site_for(
            replace(self.settings, static=static),
            command="Written by a running master; the next start writes it anew.",
            path=self.path(found),
            descriptors=machine.raise_descriptor_limit(),
            user=front.own_user(),
        )
        prepared = front.prepare(program, site, self.run_dir, backoff=self._backoff())
        self._serve(prepared.service)
        self._wait_for_front(prepared.service)
        self.screen.fact("nginx", str(program))
        self.screen.url(self._url())

    def _wait_for_front(self, service: Service) -> None:
        bind = self.settings.bind
        self.arbiter.until(
            lambda: service.restarts > 0 or listeners.answers(bind), seconds=20, pause=0.02
        )

    def _say_no_front(self) -> None:
        if self.settings.front == "auto":
            log.warning(
                "There is no nginx: clients must reach the workers' ports themselves, and nothing"
                " listens on %s. Install nginx, or pip install 'siocluster[embedded]'.",
                self.settings.bind,
            )
        workers = self.arbiter.workers
        assert workers is not None
        for slot in workers.ready():
            self.screen.url(f"http://{slot.listener.address}/")

    def _url(self) -> str:
        scheme = "https" if self.settings.certfile else "http"
        bind = self.settings.bind
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.host, bind.host)
        return f"{scheme}://{Address(host, bind.port)}/"

    # Both

    def _serve(self, service: Service) -> None:
        service.start(now=self.arbiter.now())
        self.arbiter.services.append(service)

    def _backoff(self) -> Backoff:
        return Backoff(self.settings.backoff, self.settings.backoff_max)
