"""What one worker hears on the link: messages with a place in the order, and words to it alone.

Words come on the worker's own channel: its heartbeat, requests to end an older life, acks of
clients elsewhere. Nothing here may wait: it is called by the greenlet that hears Redis.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent

from siocluster.bus.delivery import Delivery
from siocluster.bus.eviction import Eviction
from siocluster.bus.leader import Leadership
from siocluster.bus.link import Link
from siocluster.bus.manager import RoomBusManager
from siocluster.bus.message import cut, parse_published
from siocluster.bus.names import Names
from siocluster.bus.packing import ack_parts, decoded
from siocluster.bus.presence import Presence
from siocluster.bus.resync import Resync
from siocluster.bus.ticket import Reply

log = logging.getLogger(__name__)


class Hearing:
    """`outside` gets what stock processes publish on `channel`, which the leader listens to."""

    def __init__(
        self,
        link: Link,
        names: Names,
        *,
        boot: str,
        channel: str,
        delivery: Delivery,
        resync: Resync,
        eviction: Eviction,
        leadership: Leadership,
        presence: Presence,
        manager: RoomBusManager,
        outside: Callable[[bytes], None],
    ) -> None:
        self._link = link
        self._names = names
        self._boot = boot
        self._channel = channel
        self._delivery = delivery
        self._resync = resync
        self._eviction = eviction
        self._leadership = leadership
        self._presence = presence
        self._manager = manager
        self._outside = outside
        self.retires = False  # a worker that ends does not ask to lead

    def on_push(self, channel: str, data: bytes) -> None:
        try:
            if channel == self._names.worker(self._boot):
                self._on_word(data)
            elif channel == self._channel:
                self._outside(data)
            else:
                self._delivery.take(parse_published(data))
        except Exception as error:
            log.warning("Leaves out what is no message of ours on %s: %s", channel[:80], error)

    def _on_word(self, data: bytes) -> None:
        line, _, body = data.partition(b"\n")
        word, *rest = line.decode().split(" ", 3)
        if word == "beat":
            self._delivery.reached(int(rest[0]), rest[1])
            self._resync.last_heard = time.monotonic()
            self._link.heard()
        elif word == "evict":
            self._eviction.asked(*rest)
        elif word == "evicted":
            self._eviction.answered(*rest)
        elif word == "ack":
            self._acked(line.partition(b" ")[2], body)

    # The heartbeat

    def beat(self) -> None:
        asked = time.monotonic()
        wants = "" if self.retires else "1"
        self._link.call("beat", self._boot, wants, then=partial(self._beaten, asked))

    def _beaten(self, asked: float, reply: Reply) -> None:
        number, epoch, token, lost, *dead = reply
        self._delivery.reached(int(number), epoch.decode())
        self._leadership.renewed(token.decode(), asked=asked)
        if lost == b"1":
            self._presence.again(told=True)
        if token:
            self._link.subscribe(self._channel)
        else:
            self._link.unsubscribe(self._channel)
        if dead:
            gevent.spawn(self._bury, [boot.decode() for boot in dead])

    def _bury(self, boots: list[str]) -> None:
        for boot in boots:
            try:
                self._presence.bury(boot)
            except Exception as error:
                log.warning("Could not announce the people of a dead worker: %s", error)

    # Acks of clients elsewhere

    def answer(self, boot: str, room: Any, ack_id: int, arguments: Any) -> None:
        """Bring a client's ack to the worker that emitted."""
        parts = ack_parts(arguments)
        head = json.dumps([room, ack_id, [len(part) for part in parts]])
        text = f"ack {head}\n".encode() + b"".join(parts)
        self._link.publish(self._names.worker(boot), text)

    def _acked(self, head: bytes, body: bytes) -> None:
        room, ack_id, sizes = json.loads(head)
        arguments = decoded(cut(body, sizes))
        gevent.spawn(self._manager.trigger_callback, room, ack_id, arguments)
