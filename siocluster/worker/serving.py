"""One serving worker: load the app, join the cluster, serve, drain. Runs in a patched process."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from dataclasses import dataclass, field

import flask_socketio
import gevent
import setproctitle
from flask import Flask
from gevent.event import Event

from siocluster import logs
from siocluster.bus import lease
from siocluster.bus.assembly import Bus
from siocluster.listeners import listen
from siocluster.wire import Boot, Ready
from siocluster.worker import adopt, engine, forwarded, loader, stacks, websocket
from siocluster.worker.drain import drain
from siocluster.worker.gate import Gate, health_paths
from siocluster.worker.heartbeat import Clients, beat_for_ever
from siocluster.worker.pipe import Pipe
from siocluster.worker.server import Server

log = logging.getLogger(__name__)


def prepare(config: Boot) -> None:
    """What has to hold before the app is imported."""
    if config.purpose == "serve":
        setproctitle.setproctitle(
            f"siocluster: worker {config.slot} :{config.port} ({config.name})"
        )
    logs.configure(role=_role(config), format=config.log_format, level=config.log_level)
    # The script's own folder gives way to the app's, as under the flask command.
    sys.path[0] = config.folder
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, stacks.dump)


def _role(config: Boot) -> str:
    return f"worker {config.slot}" if config.purpose == "serve" else "check"


@dataclass(frozen=True, slots=True, eq=False)
class Worker:
    """The parts of one worker that has booted. Set `stopping` to have it drain."""

    config: Boot
    socketio: flask_socketio.SocketIO
    app: Flask
    server: Server
    clients: Clients
    notes: tuple[str, ...]
    bus: Bus | None
    stopping: Event = field(default_factory=Event)

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
        if self.bus is not None:
            self.bus.stop()

    def _ready(self) -> Ready:
        digest = adopt.secret_digest(self.app, cluster_key=self.config.cluster_key)
        return Ready(secret_digest=digest, notes=self.notes)


def boot(config: Boot) -> Worker:
    """Load the app and join the cluster; raises SioclusterError."""
    socketio = loader.load(config.target)
    app = loader.flask_app(socketio)
    logs.take_over("engineio.server", "socketio.server")
    engine.mend()
    websocket.bound_messages()
    clients = Clients()
    adopt.prefix_session_ids(socketio.server, node=config.node, slot=config.slot)
    adopt.count_clients(socketio.server, clients)
    bus = _join_bus(config, socketio)
    health, taken = health_paths(app, config.health_path)
    gate = Gate(
        socketio_path=socketio.sockio_mw.engineio_path,
        health=health,
        is_live=lambda: bus is None or bus.link.live.is_set(),
    )
    server = _make_server(config, socketio, app=app, gate=gate)
    notes = tuple(f"{path} is the app's own route; --health-path moves ours." for path in taken)
    return Worker(config, socketio, app, server, clients, notes, bus)


def _join_bus(config: Boot, socketio: flask_socketio.SocketIO) -> Bus | None:
    if config.redis is None:
        return None
    bus = adopt.join_bus(socketio, config)
    if config.owner:
        held = lease.open_lease(
            config.redis,
            prefix=config.redis_prefix,
            name=config.name,
            node=config.node,
            owner=config.owner,
        )
        gevent.spawn(held.keep)
    return bus


def _make_server(
    config: Boot, socketio: flask_socketio.SocketIO, *, app: Flask, gate: Gate
) -> Server:
    listener = socket.socket(fileno=config.listener)
    listener.set_inheritable(False)
    return Server(
        listener,
        app,
        gate=gate,
        trusted=forwarded.trusted_by(config.trusted_peers),
        largest_message=socketio.server.eio.max_http_buffer_size,
    )
