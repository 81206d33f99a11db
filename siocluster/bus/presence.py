"""Presence: who is in a room, over all workers. A person counts once, on any number of tabs.

A worker's people hang on its lease: when it is dead, whoever leads announces them as gone, unless
they are there by another worker.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gevent

from siocluster.bus.clients import Client
from siocluster.bus.link import Link
from siocluster.bus.names import Names
from siocluster.bus.reader import Reader
from siocluster.bus.values import Person, Room
from siocluster.errors import NotStoredError

log = logging.getLogger(__name__)
GRACE_SECONDS = 5.0  # a client that may come back is not announced as gone for so long
PAGE = 500
Announce = Callable[[str, str, str], None]  # "joined" | "left", id, [room, data] as JSON


class Presence:
    """`write(pid, generation, **fields)` keeps who a client is with its session."""

    def __init__(
        self,
        link: Link,
        reader: Reader,
        names: Names,
        *,
        boot: str,
        announce: Announce,
        write: Callable[..., Any],
    ) -> None:
        self._link = link
        self._reader = reader
        self._names = names
        self._boot = boot
        self._announce = announce
        self._write = write
        # By client and address: the person's id, and [room, data] as JSON.
        self._here: dict[Client, dict[str, tuple[str, str]]] = {}
        self._tabs: dict[tuple[str, str], int] = {}

    # Coming

    def arrive(self, client: Client, address: str, room: Room, person: Person) -> None:
        """Waits for Redis; raises NotStoredError."""
        rooms = self._here.setdefault(client, {})
        before = rooms.get(address)
        data = json.dumps([room, person.data])
        if before == (person.id, data):
            return
        rooms[address] = person.id, data
        if before is None or before[0] != person.id:
            self._tabs[address, person.id] = self._tabs.get((address, person.id), 0) + 1
            if before is not None:
                self._depart([(address, before[0])])
        if client.pid:
            here = json.dumps([person.id, data])
            self._write(client.pid, client.generation, **{f"here {address}": here})
        # Told where the reply comes in: a departure right behind it is told after it.
        then = partial(self._back, person.id, data)
        ticket = self._link.call("arrive", address, self._boot, person.id, data, then=then)
        try:
            self._link.wait(ticket)
        except NotStoredError:
            if rooms.get(address) == (person.id, data):
                self.left_room(client, address)  # so that it can be tried again
            raise

    def put_back(self, client: Client, people: dict[str, str]) -> None:
        """A client came back: it is who it was. Not waited for."""
        for address, here in people.items():
            if address in client.wanted:
                person_id, data = json.loads(here)
                room, data = json.loads(data)
                gevent.spawn(self._arrive_again, client, address, room, Person(person_id, data))

    def _arrive_again(self, client: Client, address: str, room: Room, person: Person) -> None:
        if client.ended.is_set():
            return  # cut again at once: nobody would ever take it away
        try:
            self.arrive(client, address, room, person)
        except NotStoredError as error:
            log.warning("Someone could not be announced as back: %s", error)

    # Going

    def left_room(self, client: Client, address: str) -> None:
        person = self._here.get(client, {}).pop(address, None)
        if person is None:
            return
        if client.pid:
            self._write(client.pid, client.generation, **{f"here {address}": ""})
        self._depart([(address, person[0])])

    def gone(self, client: Client) -> None:
        """Announced at once for who has left, a little later for who may come back."""
        rooms = self._here.pop(client, None)
        if not rooms:
            return
        people = [(address, person_id) for address, (person_id, _) in rooms.items()]
        if client.superseded or (client.pid and client.may_return):
            gevent.spawn_later(GRACE_SECONDS, self._depart, people)
        else:
            self._depart(people)

    def _depart(self, people: Iterable[tuple[str, str]]) -> None:
        gone = [one for one in people if self._closed_last_tab(one)]
        if not gone:
            return
        flat = [part for one in gone for part in one]
        self._link.call("depart", self._boot, *flat, then=lambda reply: self._told(gone, reply))

    def _closed_last_tab(self, person: tuple[str, str]) -> bool:
        left = self._tabs.get(person, 0) - 1
        if left > 0:
            self._tabs[person] = left
            return False
        return self._tabs.pop(person, None) is not None

    def _told(self, people: list[tuple[str, str]], reply: list[bytes]) -> None:
        for (_, person_id), data in zip(people, reply, strict=True):
            if data:
                self._announce("left", person_id, data.decode())

    def kept_names(self) -> list[str]:
        """Of the keys that must not expire while someone is here."""
        rooms = dict.fromkeys(f"people:{address}" for address, _ in self._tabs)
        return [f"roster:{self._boot}", *rooms]

    # Of the cluster

    def members(self, address: str) -> list[Person]:
        """Raises redis.exceptions.RedisError."""
        fields = self._reader.client().hgetall(f"{self._names.root}people:{address}")
        return [
            Person(key[2:].decode(), json.loads(value)[1])
            for key, value in fields.items()
            if key.startswith(b"d ")
        ]

    def bury(self, boot: str) -> None:
        """A worker is dead: its people are gone, unless they are elsewhere."""
        roster = f"{self._names.root}roster:{boot}"
        while people := self._reader.client().srandmember(roster, PAGE):
            flat = [part for entry in people for part in json.loads(entry)]
            reply = self._link.wait(self._link.call("depart", boot, *flat))
            pairs = list(zip(flat[::2], flat[1::2], strict=True))
            self._told(pairs, reply)
        self._link.call("bury", boot)

    def again(self, *, told: bool) -> None:
        """This worker's people are here though Redis does not know it any more.

        `told`: it had been given up for dead, and its people were announced as gone.
        """
        for rooms in list(self._here.values()):
            for address, (person_id, data) in rooms.items():
                then = partial(self._back, person_id, data) if told else None
                self._link.call("arrive", address, self._boot, person_id, data, then=then)

    def _back(self, person_id: str, data: str, first: bytes) -> None:
        if first == b"1":
            self._announce("joined", person_id, data)
