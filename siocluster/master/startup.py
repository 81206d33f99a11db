"""From settings to a serving cluster, step by step; and back when a step fails."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import setproctitle

from siocluster import listeners
from siocluster.address import Address, reachable
from siocluster.errors import EXIT_OK
from siocluster.front.binary import Binary
from siocluster.master import nginx_service, redis_service
from siocluster.master.arbiter import Arbiter, StopRequested
from siocluster.master.backoff import Backoff
from siocluster.master.briefing import Briefing
from siocluster.master.first_boot import boot_all
from siocluster.master.inspection import Inspection, owner
from siocluster.master.run import DUMP_SIGNAL
from siocluster.master.rundir import RunDir, open_run_dir
from siocluster.master.screen import Screen
from siocluster.master.services import Service
from siocluster.master.workers import Workers
from siocluster.settings import Settings
from siocluster.wire import Inspected

log = logging.getLogger(__name__)
SECONDS_FOR_REDIS = 120  # a large append-only file takes its time
SECONDS_FOR_NGINX = 20
SECONDS_FOR_STACKS = 1.0
SECONDS_TO_LEAVE = 2.0
LOOPBACK = ("127.0.0.1/32", "::1/128")


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
    listeners: tuple[listeners.Listener, ...] = ()

    def all(self) -> None:
        setproctitle.setproctitle(f"siocluster: master {self.settings.name} {self.settings.bind}")
        program = nginx_service.choose(self.settings)
        self.bind(public=program is not None)
        found = self.inspect()
        redis = found.redis or self.start_redis(found)
        self.start_workers(self.briefing(found, redis=redis, behind_nginx=program is not None))
        if program is None:
            self.say_no_front()
        else:
            self.start_front(program, found)

    def stop(self) -> None:
        self.arbiter.stop(seconds=self.settings.graceful_timeout)
        for listener in self.listeners:
            listener.close()

    def bind(self, *, public: bool) -> None:
        """All worker ports or none; the public one is only tried, nginx binds it."""
        if public:
            listeners.check_free(self.settings.bind)
        self.listeners = tuple(listeners.bind_all(self.settings.slot_addresses()))

    def inspect(self) -> Inspected:
        """What the target is and which Redis it names, told by a process that ends then."""
        inspection = Inspection(self.settings, folder=self.folder, environ=self.environ)
        try:
            found = self._hear(inspection)
        finally:
            self.arbiter.forget(inspection.process)
            inspection.process.kill()
        for note in found.notes:
            log.warning("%s", note)
        self.screen.fact("app", f"{self.settings.target}, Socket.IO at {self.path(found)}")
        if found.redis:
            self.screen.fact("redis", f"{found.redis_version}, named by {found.redis_origin}")
        return found

    def _hear(self, inspection: Inspection) -> Inspected:
        self.arbiter.watch_inspection(inspection)
        if not self.arbiter.until(lambda: inspection.done, seconds=self.settings.boot_timeout):
            inspection.process.send_signal(DUMP_SIGNAL)
            self.arbiter.until(inspection.process.exited, seconds=SECONDS_FOR_STACKS)
            raise inspection.too_late()
        self.arbiter.until(inspection.process.exited, seconds=SECONDS_TO_LEAVE)
        return inspection.result()

    def path(self, found: Inspected) -> str:
        return self.settings.path or found.path

    def start_redis(self, found: Inspected) -> str:
        """Start one of our own; its URL."""
        redis = redis_service.prepare(self.settings, self.run_dir, backoff=self._backoff())
        self._serve(redis.service)
        self.arbiter.until(redis.settled, seconds=SECONDS_FOR_REDIS, pause=0.02)
        if not redis.answers():
            raise redis.does_not_start()
        self.screen.fact("redis", f"{redis.program.title} ({redis.program.origin})")
        folder = self._shown(self.settings.data_dir)
        self.screen.fact("data", f"{folder}; started here, {found.redis_origin}")
        return redis.url

    def briefing(self, found: Inspected, *, redis: str, behind_nginx: bool) -> Briefing:
        # nginx connects from the address that it connects to.
        own_front = (*LOOPBACK, self.settings.worker_bind) if behind_nginx else ()
        return Briefing(
            settings=self.settings,
            folder=self.folder,
            redis=redis,
            channel=f"siocluster:{self.settings.name}",
            owner=owner(self.settings) if found.redis else "",
            cluster_key=secrets.token_hex(32),
            trusted_peers=(*own_front, *self.settings.forwarded_allow_ips),
        )

    def start_workers(self, briefing: Briefing) -> None:
        workers = Workers.on(
            list(self.listeners), self.settings, environ=self.environ, boot_for=briefing.for_slot
        )
        self.arbiter.workers = workers
        wanted = workers.slots[: self.settings.workers]
        boot_all(workers, wanted, arbiter=self.arbiter, screen=self.screen)

    def start_front(self, program: Binary, found: Inspected) -> None:
        nginx = nginx_service.prepare(
            program,
            self.settings,
            path=self.path(found),
            folder=self.folder,
            run_dir=self.run_dir,
            backoff=self._backoff(),
        )
        self._serve(nginx.service)
        self.arbiter.until(nginx.settled, seconds=SECONDS_FOR_NGINX, pause=0.02)
        if nginx.service.restarts or not listeners.answers(self.settings.bind):
            raise nginx.does_not_start()
        self.screen.fact("nginx", str(program))
        scheme = "https" if self.settings.certfile else "http"
        bind = self.settings.bind
        self.screen.url(f"{scheme}://{Address(reachable(bind.host), bind.port)}/")

    def say_no_front(self) -> None:
        if self.settings.front == "auto":
            log.warning(
                "There is no nginx: clients must reach the workers' ports themselves, and nothing"
                " listens on %s. Install nginx, or pip install 'siocluster[embedded]'.",
                self.settings.bind,
            )
        for address in self.settings.slot_addresses()[: self.settings.workers]:
            self.screen.url(f"http://{address}/")

    def _shown(self, path: Path) -> Path:
        return path.relative_to(self.folder) if path.is_relative_to(self.folder) else path

    def _serve(self, service: Service) -> None:
        service.start(now=self.arbiter.now())
        self.arbiter.services.append(service)

    def _backoff(self) -> Backoff:
        return Backoff(self.settings.backoff, self.settings.backoff_max)
