"""A clean stop: refuse new sessions, hand over the old ones, let requests end."""

from __future__ import annotations

import logging
import random
import time

import flask_socketio
import gevent
from engineio.socket import Socket

from siocluster.worker.server import Server

log = logging.getLogger(__name__)
BATCH_SECONDS = 0.05
LONGEST_SPREAD = 10.0  # all clients are told within this, and within half the time there is
CLIENTS_A_SECOND = 400
SECONDS_TO_TELL = 1.0


def drain(server: Server, socketio: flask_socketio.SocketIO, *, seconds: float) -> None:
    """Close every session and end every request, a little before `seconds` are over.

    The master kills after just as long: what did not end must have been told by then.
    """
    deadline = time.monotonic() + max(seconds / 2, seconds - SECONDS_TO_TELL)
    server.gate.draining = True
    if handlers := close_sessions(socketio, deadline=deadline):
        log.warning("%d disconnect handlers had not ended in time.", handlers)
    if requests := server.finish(deadline=deadline):
        log.warning("%d requests had not ended in time.", requests)
    socketio.server.shutdown()


def close_sessions(socketio: flask_socketio.SocketIO, *, deadline: float) -> int:
    """Close all Engine.IO sessions in jittered batches; returns how many did not end in time.

    The transport is closed, with no Socket.IO DISCONNECT packet: after that packet the stock
    JavaScript client would not connect again. `disconnect` handlers run, each in a greenlet, so
    that one that blocks holds up nobody else.
    """
    sessions: list[Socket] = list(socketio.server.eio.sockets.values())
    random.shuffle(sessions)
    spread = min(LONGEST_SPREAD, len(sessions) / CLIENTS_A_SECOND)
    spread = min(spread, max(0.0, deadline - time.monotonic()) / 2)
    size = _batch_size(len(sessions), spread)
    closing = []
    for start in range(0, len(sessions), size):
        if start:
            gevent.sleep(BATCH_SECONDS * random.uniform(0.5, 1.5))
        batch = sessions[start : start + size]
        closing += [gevent.spawn(_close, session, socketio) for session in batch]
    gevent.joinall(closing, timeout=max(0.0, deadline - time.monotonic()))
    return sum(not greenlet.ready() for greenlet in closing)


def _batch_size(sessions: int, spread: float) -> int:
    batches = max(1, round(spread / BATCH_SECONDS))
    return max(1, -(-sessions // batches))


def _close(session: Socket, socketio: flask_socketio.SocketIO) -> None:
    session.close(wait=False, reason=socketio.reason.SERVER_DISCONNECT)
