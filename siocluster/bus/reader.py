"""Reads of the room log, on connections of their own.

The link's connection counts as a subscriber, and Redis cuts one that is sent too much at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis
from gevent.lock import BoundedSemaphore

from siocluster.bus import dial
from siocluster.bus.message import Message, parse_stored
from siocluster.bus.names import Names

log = logging.getLogger(__name__)
PAGE = 100  # entries
MOST_AT_ONCE = 16
HIGHEST = "+"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log. `previous` is the number before it there; `time` in milliseconds."""

    previous: int
    time: int
    message: Message


class Reader:
    """Any greenlet may read. Raises redis.exceptions.RedisError."""

    def __init__(self, url: str, names: Names) -> None:
        self._url = url
        self._names = names
        self._client: Any = None
        # All clients of a dead worker may come back at once: not each on a connection of its own.
        self._turns = BoundedSemaphore(MOST_AT_ONCE)

    def client(self) -> Any:
        """With a pool of connections; made anew after an error, for a Sentinel may name another."""
        if self._client is None:
            self._client = redis.Redis(connection_pool=dial.pool(self._url))
        return self._client

    def renew(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.connection_pool.disconnect(inuse_connections=False)

    def after(self, address: str, number: int, *, upto: int | None, epoch: str) -> Iterator[Entry]:
        """Entries above `number`, oldest first, page by page."""
        last = HIGHEST if upto is None else f"{upto}-{2**64 - 1}"
        start = f"{number + 1}-0"
        while True:
            with self._turns:
                page = self.client().xrange(self._names.log(address), start, last, count=PAGE)
            yield from self._entries(page, epoch)
            if len(page) < PAGE:
                return
            start = f"({page[-1][0].decode()}"

    def before(self, address: str, number: int | None, *, limit: int, epoch: str) -> list[Entry]:
        """The last `limit` entries below `number`, newest first."""
        highest = HIGHEST if number is None else f"({number}-0"
        with self._turns:
            page = self.client().xrevrange(self._names.log(address), highest, "-", count=limit)
        return list(self._entries(page, epoch))

    def _entries(self, page: list[tuple[bytes, dict[bytes, bytes]]], epoch: str) -> Iterator[Entry]:
        for entry_id, fields in page:
            try:
                message = parse_stored(entry_id, fields[b"m"], epoch=epoch)
                time = int(entry_id.partition(b"-")[2])
                yield Entry(int(fields[b"p"]), time, message)
            except (KeyError, ValueError, TypeError, IndexError):
                log.warning("An entry of a room's log is not ours: it is left out.")
