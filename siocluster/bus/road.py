"""The one road: what has a place in the order is one script call: number, store, publish.

The caller waits until it is stored, so what it does next comes after it everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from siocluster.bus.delivery import Delivery
from siocluster.bus.link import Link
from siocluster.bus.message import Head, Message, previous_by_target
from siocluster.bus.positions import Position
from siocluster.bus.ticket import Reply


class Road:
    """`boot` names this worker process, `place` its node and slot."""

    def __init__(self, link: Link, delivery: Delivery, *, boot: str, place: str) -> None:
        self._link = link
        self._delivery = delivery
        self._boot = boot
        self._place = place
        self._sequence = 0

    def send(
        self, head: Head, parts: Sequence[bytes], *, message_id: str = "", token: str = ""
    ) -> Position:
        """Returns once Redis has it; raises NotStoredError.

        `message_id` names it for 24 h: the same again is stored once, and has the first one's
        position. `token` is that of the leader on whose behalf it is, if any.
        """
        body = b"".join(parts)
        self._link.admit(len(body))
        self._sequence += 1
        ticket = self._link.call(
            "emit",
            self._boot,
            str(self._sequence),
            self._place,
            token,
            message_id,
            "1" if head.stored else "0",
            head.encode(),
            body,
            *head.targets,
            then=partial(self._stored, head, tuple(parts)),
        )
        number, epoch, *_ = self._link.wait(ticket)
        return Position(int(number), epoch.decode())

    def _stored(self, head: Head, parts: tuple[bytes, ...], reply: Reply) -> None:
        number, epoch, previous, status = reply
        if status == b"same":
            return
        # One that was sent again may have been stored before this connection had subscribed: it
        # tells nothing about what this worker has heard since.
        before = previous_by_target(head.targets, "-" if status == b"known" else previous.decode())
        self._delivery.take(Message(int(number), epoch.decode(), head, parts, before))
