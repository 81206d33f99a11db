"""Look at the target and at Redis before any worker starts, in a process of its own.

The master never imports the app or redis; this process does, tells what it saw, and exits.
"""

from __future__ import annotations

import flask_socketio
import redis

from siocluster.bus import lease, redis_check
from siocluster.wire import Boot, Inspected
from siocluster.worker import adopt, loader


def inspect(boot: Boot) -> Inspected:
    """What the target is and which Redis to use; raises TargetError, RedisError, BusyError."""
    socketio = loader.load(boot.target)
    url, origin = _choose_redis(boot, socketio)
    version = _check(boot, url, socketio) if url else ""
    return Inspected(
        path=socketio.sockio_mw.engineio_path,
        redis=url,
        redis_origin=origin,
        redis_version=version,
        notes=tuple(_notes(socketio)),
    )


def _choose_redis(boot: Boot, socketio: flask_socketio.SocketIO) -> tuple[str | None, str]:
    """The URL and where it was named: settings, then the app, then the environment."""
    if boot.redis == "embedded":
        return None, "as asked"
    if boot.redis:
        return boot.redis, boot.redis_origin
    if queue := adopt.own_queue(socketio):
        return queue.url, "the app's message_queue"
    if boot.redis_fallback and boot.redis_fallback != "embedded":
        return boot.redis_fallback, "REDIS_URL"
    return None, "as none is named"


def _check(boot: Boot, url: str, socketio: flask_socketio.SocketIO) -> str:
    queue = adopt.own_queue(socketio)
    channel = queue.channel if queue else boot.channel
    version = redis_check.check(url, prefix=boot.redis_prefix, channel=channel)
    try:
        held = lease.open_lease(
            url,
            prefix=boot.redis_prefix,
            name=boot.name,
            node=boot.node,
            owner=boot.owner,
        )
        if boot.takes_name:
            held.take()
        else:
            held.look()
    except redis.exceptions.RedisError as error:
        raise redis_check.explain(url, error) from None
    return version


def _notes(socketio: flask_socketio.SocketIO) -> list[str]:
    notes = []
    if kind := adopt.foreign_queue(socketio):
        notes.append(
            f"The app's message queue ({kind}) is replaced by Redis; processes that emit to it"
            " from outside are not heard."
        )
    return notes
