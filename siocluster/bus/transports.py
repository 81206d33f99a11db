"""What a client is told, put onto its Engine.IO session without waiting, and sessions closed."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable

import gevent
import socketio
from engineio.packet import Packet

from siocluster.bus.clients import Client

log = logging.getLogger(__name__)
CLOSED_A_SECOND = 400
LONGEST_SPREAD = 10.0


class Transports:
    def __init__(self, server: socketio.Server) -> None:
        self._server = server
        self._engine = server.eio

    def put(self, client: Client, packets: Iterable[Packet]) -> None:
        self.send(client.eio_sid, packets)

    def send(self, eio_sid: str, packets: Iterable[Packet]) -> None:
        """Queue packets. Stock `send` may run a disconnect handler, which must not happen here:
        we are called by the one greenlet that hears Redis."""
        session = self._engine.sockets.get(eio_sid)
        if session is None or session.closed:
            return
        last_ping = session.last_ping
        if last_ping and time.time() - last_ping > self._engine.ping_timeout:
            gevent.spawn(self.close, eio_sid, self._engine.reason.PING_TIMEOUT)
            return
        for packet in packets:
            session.queue.put(packet)

    def is_open(self, eio_sid: str) -> bool:
        session = self._engine.sockets.get(eio_sid)
        return session is not None and not session.closed and not session.closing

    def close(self, eio_sid: str, reason: str | None = None) -> None:
        """End the transport, with no Socket.IO packet: the stock JavaScript client comes back."""
        session = self._engine.sockets.get(eio_sid)
        if session is not None:
            session.close(wait=False, reason=reason or self._engine.reason.TRANSPORT_CLOSE)

    def give_up(self, clients: Iterable[Client], why: str) -> None:
        """Close clients whose gap cannot be filled, in jittered batches.

        They get nothing more from now on, and their pids are void: they come back, are told, and
        load afresh.
        """
        chosen = [client for client in clients if not client.mute]
        if not chosen:
            return
        log.error("Closes %d clients, which load afresh: %s.", len(chosen), why)
        spread = min(LONGEST_SPREAD, len(chosen) / CLOSED_A_SECOND)
        for client in chosen:
            client.mute = True
            client.may_return = False
            gevent.spawn_later(random.uniform(0, spread), self.close, client.eio_sid)

    def supersede(self, client: Client) -> None:
        """A later life of this session runs elsewhere: end this one, and touch nothing of that."""
        client.mute = True
        if not client.superseded:
            client.superseded = True
            gevent.spawn(self.close, client.eio_sid)
