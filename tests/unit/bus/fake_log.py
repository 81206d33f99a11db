"""Room logs in memory, read as the bus reads those on Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import redis

from siocluster.bus.message import Message
from siocluster.bus.reader import Entry


class FakeReader:
    """Stands for siocluster.bus.reader.Reader. `before_reading` runs once, before the first read;
    each of `errors` is raised once."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Entry]] = {}
        self.read: list[str] = []
        self.renewed = 0
        self.errors: list[Exception] = []
        self.before_reading: Callable[[], object] = lambda: None

    def write(self, *messages: Message, trimmed: int = 0) -> None:
        """Into the logs of their targets; `trimmed` is the number before a log's first entry."""
        for message in messages:
            for target in message.head.targets:
                log = self.logs.setdefault(target, [])
                previous = log[-1].message.number if log else trimmed
                log.append(Entry(previous, 0, message))

    def newest(self, address: str) -> int:
        log = self.logs.get(address)
        return log[-1].message.number if log else 0

    def after(self, address: str, number: int, *, upto: int | None, epoch: str) -> Iterator[Entry]:
        self.read.append(address)
        action, self.before_reading = self.before_reading, lambda: None
        action()
        if self.errors:
            raise self.errors.pop()
        for entry in list(self.logs.get(address, [])):
            if number < entry.message.number and (upto is None or entry.message.number <= upto):
                yield entry

    def renew(self) -> None:
        self.renewed += 1


def lost() -> Exception:
    return redis.exceptions.ConnectionError("Redis has gone")
