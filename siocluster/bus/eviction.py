"""One life at a time: the older life of a session ends before the next one begins."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent
from gevent.event import Event

from siocluster.bus.clients import Clients
from siocluster.bus.link import Link
from siocluster.bus.names import Names
from siocluster.bus.sessions import Session

log = logging.getLogger(__name__)
SECONDS_TO_END = 4.0  # a worker that does not answer for so long is stopped or dead


class Eviction:
    def __init__(
        self,
        link: Link,
        names: Names,
        clients: Clients,
        *,
        boot: str,
        supersede: Callable[..., None],
    ) -> None:
        self._link = link
        self._names = names
        self._clients = clients
        self._boot = boot
        self._supersede = supersede
        self._awaited: dict[str, Event] = {}

    def end_older_life(self, session: Session) -> bool:
        """Wait for it, but not for ever: whatever it still writes is refused by its generation.

        False when it has not ended here: two lives of one sid cannot be on one worker.
        """
        if session.older_boot == self._boot:
            return self._end_here(session.sid, session.generation)
        if session.older_is_open:
            self._end_elsewhere(session)
        return self._end_here(session.sid, session.generation)

    def _end_here(self, sid: str, generation: int) -> bool:
        client = self._clients.get(sid)
        if client is None or client.generation >= generation:
            return True
        self._supersede(client)
        return bool(client.ended.wait(SECONDS_TO_END))

    def _end_elsewhere(self, session: Session) -> None:
        token = f"{session.sid}/{session.generation}"
        done = self._awaited[token] = Event()
        channel = self._names.worker(session.older_boot)
        asked = f"evict {session.sid} {session.generation} {self._boot}"
        # Nobody hears it: that worker is dead, though its lease has not run out yet.
        self._link.publish(channel, asked, then=lambda heard: None if heard else done.set())
        if not done.wait(SECONDS_TO_END):
            log.warning("Worker %s has not ended an older session in time.", session.older_boot)
        self._awaited.pop(token, None)

    # What other workers say

    def asked(self, sid: str, generation: str, boot: str) -> None:
        gevent.spawn(self._end_and_answer, sid, int(generation), boot)

    def _end_and_answer(self, sid: str, generation: int, boot: str) -> None:
        self._end_here(sid, generation)
        self._link.publish(self._names.worker(boot), f"evicted {sid} {generation}")

    def answered(self, sid: str, generation: str) -> None:
        done = self._awaited.get(f"{sid}/{generation}")
        if done is not None:
            done.set()
