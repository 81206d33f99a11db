"""Make a loaded app one of several: session ids, room bus, counts."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
from dataclasses import dataclass

import engineio
import flask_socketio
import socketio as python_socketio
from flask import Flask

from siocluster.bus import backend
from siocluster.bus.assembly import Bus, Configuration
from siocluster.bus.outbox import Bounds
from siocluster.bus.redis_check import shown
from siocluster.bus.scripts import Limits
from siocluster.errors import RedisError
from siocluster.wire import Boot
from siocluster.worker.heartbeat import Clients

log = logging.getLogger(__name__)
SECONDS_TO_SUBSCRIBE = 10
SLACK_SECONDS = 15  # until the end of a silent client has reached Redis


@dataclass(frozen=True, slots=True)
class AppQueue:
    """The message queue that the app itself named: a Redis URL and a channel."""

    url: str
    channel: str


def own_queue(socketio: flask_socketio.SocketIO) -> AppQueue | None:
    """The app's `message_queue`, if it is Redis."""
    manager = socketio.server.manager
    if isinstance(manager, python_socketio.RedisManager):
        return AppQueue(manager.redis_url, manager.channel)
    return None


def foreign_queue(socketio: flask_socketio.SocketIO) -> str | None:
    """The kind of the app's message queue, if it is one that is not Redis."""
    manager = socketio.server.manager
    if isinstance(manager, python_socketio.PubSubManager) and own_queue(socketio) is None:
        return str(manager.name)
    return None


def prefix_session_ids(server: python_socketio.Server, *, node: str, slot: int) -> None:
    """Let each new session's id name this worker: `a0-…`.

    Engine.IO and Socket.IO ids come from one method. The front routes by the prefix.
    """
    make_id = server.eio.generate_id
    server.eio.generate_id = lambda: f"{node}{slot}-{make_id()}"


def count_clients(server: python_socketio.Server, clients: Clients) -> None:
    """Count Engine.IO sessions as they come and go."""
    stock_connect, stock_disconnect = (
        server.eio.handlers["connect"],
        server.eio.handlers["disconnect"],
    )

    def connect(eio_sid: str, environ: dict[str, object]) -> object:
        clients.connected()
        return stock_connect(eio_sid, environ)

    def disconnect(eio_sid: str, reason: str) -> object:
        clients.disconnected()
        return stock_disconnect(eio_sid, reason)

    server.eio.on("connect", connect)
    server.eio.on("disconnect", disconnect)


def join_bus(socketio: flask_socketio.SocketIO, config: Boot) -> Bus:
    """Put the room bus under the app, and wait until Redis is heard; raises RedisError.

    An app with a message queue of its own keeps its channel: processes that emit to it from
    outside use it.
    """
    assert config.redis is not None
    queue = own_queue(socketio)
    channel = queue.channel if queue else config.channel
    bus = Bus(socketio, _configuration(config, channel, socketio.server.eio))
    backend.install(bus.backend())
    if not bus.start(seconds=SECONDS_TO_SUBSCRIBE):
        raise RedisError(
            f"{shown(config.redis)} was not heard within {SECONDS_TO_SUBSCRIBE} s.",
            detail=bus.link.last_error,
        )
    return bus


def _configuration(config: Boot, channel: str, engine: engineio.Server) -> Configuration:
    return Configuration(
        url=config.redis or "",
        prefix=config.redis_prefix,
        place=f"{config.node}{config.slot}",
        channel=channel,
        limits=Limits(
            seconds=config.recovery_seconds,
            events=config.recovery_events,
            bytes=config.recovery_bytes,
            patience=math.ceil(engine.ping_interval + engine.ping_timeout) + SLACK_SECONDS,
        ),
        outbox=Bounds(
            commands=config.outbox_emits,
            bytes=config.outbox_bytes,
            seconds=config.outbox_seconds,
        ),
        recovery=config.recovery,
        direct=config.direct,
        volatile=frozenset(config.volatile),
    )


def secret_digest(app: Flask, *, cluster_key: str) -> str:
    """A digest of the app's secret key that is comparable within this cluster only."""
    secret = app.secret_key
    if not secret or not cluster_key:
        return ""
    data = secret if isinstance(secret, bytes) else secret.encode()
    return hmac.new(cluster_key.encode(), data, hashlib.sha256).hexdigest()
