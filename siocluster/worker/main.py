"""One worker: load the target, join the cluster, serve, drain. Runs in a patched process."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import socket
import sys
from typing import NoReturn

import gevent
import setproctitle
from gevent.event import Event

from siocluster import logs
from siocluster.bus import lease
from siocluster.bus.manager import QueueManager
from siocluster.errors import EXIT_INTERNAL, EXIT_OK, SioclusterError
from siocluster.listeners import listen
from siocluster.wire import Boot, Failed, Hello, Ready
from siocluster.worker import adopt, forwarded, loader, stacks
from siocluster.worker.drain import drain
from siocluster.worker.gate import Gate, health_paths
from siocluster.worker.heartbeat import Clients, Pipe, beat_for_ever
from siocluster.worker.inspect import inspect
from siocluster.worker.server import Server

log = logging.getLogger(__name__)
PIPE_VARIABLE = "SIOCLUSTER_PIPE"
PR_SET_PDEATHSIG = 1
SECONDS_TO_EXIT = 2.0


def main() -> NoReturn:
    """Run under a master when one left a pipe, else in the foreground."""
    descriptor = os.environ.pop(PIPE_VARIABLE, None)
    if descriptor is None:
        from siocluster.worker.foreground import main as foreground

        foreground()
    die_with_master()
    faulthandler.enable()
    pipe = Pipe(int(descriptor))
    boot = pipe.boot()
    prepare(boot)
    pipe.send(Hello(pid=os.getpid()))
    try:
        code = run(boot, pipe)
    except SioclusterError as error:
        pipe.send(_failure(error))
        code = error.exit_code
    except Exception as error:
        pipe.send(Failed(message=repr(error), detail=loader.app_traceback(error)))
        code = EXIT_INTERNAL
    leave(code)


def run(boot: Boot, pipe: Pipe) -> int:
    if boot.purpose == "inspect":
        pipe.send(inspect(boot))
        return EXIT_OK
    worker = Worker(boot)
    worker.boot()
    pipe.watch()
    worker.serve(pipe)
    return EXIT_OK


def prepare(boot: Boot) -> None:
    """What has to hold before the app is imported."""
    if boot.purpose == "serve":
        setproctitle.setproctitle(f"siocluster: worker {boot.slot} :{boot.port} ({boot.name})")
    logs.configure(role=_role(boot), format=boot.log_format, level=boot.log_level)
    # The script's own folder gives way to the app's, as under the flask command.
    sys.path[0] = boot.folder
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, stacks.dump)


def _role(boot: Boot) -> str:
    return f"worker {boot.slot}" if boot.purpose == "serve" else "check"


class Worker:
    """The parts of one serving worker, from load to drain."""

    def __init__(self, boot: Boot) -> None:
        self.config = boot
        self.clients = Clients()
        self.stopping = Event()
        self.notes: list[str] = []

    def boot(self) -> None:
        """Load the app and join the cluster; raises SioclusterError."""
        self.socketio = loader.load(self.config.target)
        self.app = loader.flask_app(self.socketio)
        adopt.prefix_session_ids(self.socketio.server, node=self.config.node, slot=self.config.slot)
        adopt.count_clients(self.socketio.server, self.clients)
        self.manager = self._join_queue()
        self.server = self._make_server()

    def _join_queue(self) -> QueueManager | None:
        if self.config.redis is None:
            return None
        manager = adopt.join_queue(
            self.socketio, url=self.config.redis, channel=self.config.channel
        )
        if self.config.owner:
            held = lease.open_lease(
                self.config.redis,
                name=self.config.name,
                node=self.config.node,
                owner=self.config.owner,
            )
            gevent.spawn(held.keep)
        return manager

    def _make_server(self) -> Server:
        health, taken = health_paths(self.app, self.config.health_path)
        self.notes += [
            f"{path} is the app's own route; --health-path moves ours." for path in taken
        ]
        gate = Gate(
            socketio_path=self.socketio.sockio_mw.engineio_path,
            health=health,
            is_live=lambda: self.manager is None or self.manager.live.is_set(),
        )
        listener = socket.socket(fileno=self.config.listener)
        listener.set_inheritable(False)
        trusted = forwarded.trusted_by(self.config.trusted_peers)
        return Server(
            listener,
            self.app,
            gate=gate,
            trusted=trusted,
            largest_message=self.socketio.server.eio.max_http_buffer_size,
        )

    def serve(self, pipe: Pipe | None) -> None:
        """Accept, say ready, and wait for the word to stop; then drain."""
        gevent.signal_handler(signal.SIGTERM, self.stopping.set)
        listen(self.server.socket)
        self.server.start()
        if pipe is not None:
            pipe.send(self._ready())
            gevent.spawn(beat_for_ever, pipe, self.clients, seconds=self.config.heartbeat_seconds)
        self.stopping.wait()
        log.info("Drains %d sessions.", len(self.socketio.server.eio.sockets))
        drain(self.server, self.socketio, seconds=self.config.graceful_timeout)

    def _ready(self) -> Ready:
        digest = adopt.secret_digest(self.app, cluster_key=self.config.cluster_key)
        return Ready(secret_digest=digest, notes=tuple(self.notes))


def die_with_master() -> None:
    """Ask the kernel for SIGKILL when the master dies: a blocked hub cannot see the pipe end."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _failure(error: SioclusterError) -> Failed:
    return Failed(
        message=error.message, hint=error.hint, detail=error.detail, exit_code=error.exit_code
    )


def leave(code: int) -> NoReturn:
    """Exit, with the app's atexit functions, though one of its threads may never end."""
    gevent.spawn_later(SECONDS_TO_EXIT, os._exit, code)
    sys.exit(code)
