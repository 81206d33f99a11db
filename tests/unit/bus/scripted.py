"""Calls the bus's scripts on a real Redis, with the arguments that a worker gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import redis

from siocluster.bus.message import Head, Message, parse_published
from siocluster.bus.names import Names
from siocluster.bus.scripts import Limits, load

NAMES = Names("test")
SMALL = Limits(seconds=10, events=5, bytes=1000, sid_events=3, patience=2)
SECONDS_TO_HEAR = 5.0
SCRIPTS = cache(load)
Snapshot = Callable[[], dict[bytes, Any]]


class Stored(NamedTuple):
    """What the emit script answers."""

    number: str
    epoch: str
    previous: str
    status: str


@dataclass(slots=True)
class Worker:
    """What it knows of epoch and number goes with each call, and grows with each answer."""

    client: redis.Redis
    place: str
    boot: str
    limits: Limits = SMALL
    epoch: str = ""
    number: int = 0
    fresh: str = "fresh000"
    sequence: int = field(default=0)

    def call(self, name: str, *arguments: object) -> Any:
        known = (self.epoch, str(self.number), self.fresh)
        text = SCRIPTS(self.limits)[name].text
        return self.client.eval(text, 1, NAMES.root, *known, *map(_argument, arguments))

    def emit(
        self,
        *targets: str,
        body: str = '2["event"]',
        stored: bool = True,
        message_id: str = "",
        token: str = "",
        sequence: int | None = None,
    ) -> Stored:
        """With the next sequence, unless one is given."""
        self.sequence = self.sequence + 1 if sequence is None else sequence
        head = Head(targets=targets, stored=stored).encode()
        flag = "1" if stored else "0"
        fixed = (self.boot, self.sequence, self.place, token, message_id, flag, head, body)
        found = Stored(*self.call("emit", *fixed, *targets))
        self.learn(found.number, found.epoch)
        return found

    def beat(self, *, wants: str = "1") -> tuple[str, bool, list[str]]:
        """Token, whether it had been given up, and who is dead."""
        number, epoch, token, lost, *dead = self.call("beat", self.boot, wants)
        self.learn(number, epoch)
        return token, lost == "1", dead

    def begin(self, pid: str, sid: str, *, namespace: str = "/") -> str:
        """The number from which on it is connected."""
        address = f"n:{namespace}"
        return str(self.call("begin", address, pid, sid, namespace, self.place, self.boot)[0])

    def join(self, address: str, pid: str, *, generation: int = 1, since: str = "") -> Any:
        return self.call("join", address, pid, generation, since, "")

    def leave(self, address: str, pid: str, *, generation: int = 1, till: str = "") -> Any:
        return self.call("leave", address, pid, generation, till)

    def claim(self, pid: str, *, namespace: str = "/") -> Any:
        return self.call("claim", pid, namespace, self.place, self.boot)

    def learn(self, number: str, epoch: str) -> None:
        if epoch != self.epoch:
            self.epoch, self.number = epoch, 0
        self.number = max(self.number, int(number))


def _argument(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def log_of(client: redis.Redis, address: str) -> list[tuple[int, str, str]]:
    """Number, number before and body of each entry, oldest first."""
    entries: Any = client.xrange(NAMES.log(address))
    return [
        (int(entry_id.partition("-")[0]), fields["p"], fields["m"].partition("\n")[2])
        for entry_id, fields in entries
    ]


def numbers_in(client: redis.Redis, address: str) -> list[int]:
    return [number for number, _, _ in log_of(client, address)]


def later(client: redis.Redis) -> None:
    """Redis's clock, in milliseconds, is another one now."""
    start = milliseconds(client)
    while milliseconds(client) == start:
        pass


def milliseconds(client: redis.Redis) -> int:
    seconds, microseconds = client.time()
    return int(seconds * 1000 + microseconds // 1000)


@contextmanager
def listening(client: redis.Redis, *channels: str) -> Iterator[Ear]:
    """To channels, from now on."""
    with redis.Redis(port=client.connection_pool.connection_kwargs["port"]) as bare:
        pubsub = bare.pubsub()
        try:
            pubsub.subscribe(*channels)
            ear = Ear(pubsub)
            for _ in channels:
                ear.next()
            yield ear
        finally:
            pubsub.close()


class Ear:
    def __init__(self, pubsub: redis.client.PubSub) -> None:
        self._pubsub = pubsub

    def next(self) -> dict[str, Any]:
        found = self._pubsub.get_message(timeout=SECONDS_TO_HEAR)
        assert found, "heard nothing"
        return dict(found)

    def message(self) -> Message:
        return parse_published(self.next()["data"])

    def hears_nothing(self) -> bool:
        """What was published before has arrived when a later reply has: this asks for one."""
        self._pubsub.ping()
        found = self.next()
        return str(found["type"]) == "pong"
