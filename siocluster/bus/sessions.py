"""Sessions of clients that may come back: what is kept of each on Redis, and taking one over."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from siocluster.bus.link import Link
from siocluster.bus.positions import InvalidPosition, Position
from siocluster.bus.ticket import Ticket

log = logging.getLogger(__name__)
PID_BYTES = 16
LONGEST_PID = 64


def new_pid() -> str:
    """A secret of 128 bits: who knows it may take the session over."""
    return secrets.token_urlsafe(PID_BYTES)


@dataclass(frozen=True, slots=True)
class Stay:
    """From one number (not included) to another (included); None: until now."""

    since: int
    till: int | None

    def holds(self, number: int) -> bool:
        return number > self.since and (self.till is None or number <= self.till)


@dataclass(slots=True, kw_only=True)
class Session:
    """A session that was claimed for a new life on this worker.

    `position` is the number up to which the client has everything. `rooms` maps addresses to
    stays, oldest first; `names` addresses to rooms as JSON; `people` addresses to who it was there.
    """

    pid: str
    sid: str
    generation: int
    epoch: str
    older_boot: str
    older_is_open: bool
    position: int
    start: int
    rooms: dict[str, list[Stay]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    saved: str = ""
    changes: list[tuple[str, str, int]] = field(default_factory=list)  # "join" | "leave"

    def open_rooms(self) -> list[str]:
        return [address for address, stays in self.rooms.items() if stays[-1].till is None]

    def enter(self, address: str, number: int) -> None:
        stays = self.rooms.setdefault(address, [])
        if not stays or stays[-1].till is not None:
            stays.append(Stay(number, None))
            self.changes.append(("join", address, number))

    def leave(self, address: str, number: int) -> None:
        stays = self.rooms.get(address)
        if stays and stays[-1].till is None and stays[-1].since < number:
            stays[-1] = Stay(stays[-1].since, number)
            self.changes.append(("leave", address, number))


class Sessions:
    """Session records, by way of the link."""

    def __init__(self, link: Link, *, boot: str, place: str) -> None:
        self._link = link
        self._boot = boot
        self._place = place

    def claim(self, pid: str, offset: object, *, namespace: str) -> Session | None:
        """Take it over for a new life; None for one that cannot go on, whatever the reason.

        Raises NotStoredError when Redis is away for too long.
        """
        if not 0 < len(pid) <= LONGEST_PID or not pid.isascii() or not pid.isprintable():
            return None
        ticket = self._link.call("claim", pid, namespace, self._place, self._boot)
        reply = self._link.wait(ticket)
        if reply[0] != b"1":
            log.info("A client comes back in vain: its session is %s.", reply[1].decode())
            return None
        session = _session(pid, offset, reply)
        if session is None:
            log.info("A client comes back in vain: its position is none of this session's.")
            self._link.call("finish", pid, _generation(reply), "0")
        return session

    def save(self, pid: str, generation: int, **fields: str) -> Ticket:
        """Write fields; an empty value deletes. Does not wait."""
        pairs = [part for pair in fields.items() for part in pair]
        return self._link.call("save", pid, str(generation), *pairs)

    def note(self, session: Session) -> None:
        """Write down what others changed while the client was away."""
        for script, address, number in session.changes:
            name = session.names.get(address, "")
            self._link.call(
                script, address, session.pid, str(session.generation), str(number), name
            )

    def leave_off(self, session: Session) -> None:
        """It was claimed and could not be gone on with: it may be claimed again."""
        self._link.call("finish", session.pid, str(session.generation), "1")

    def discard(self, session: Session) -> None:
        """It cannot go on: nobody may come back to it."""
        self._link.call("finish", session.pid, str(session.generation), "0")


def _session(pid: str, offset: object, reply: Sequence[Any]) -> Session | None:
    number, epoch, boot, is_open = int(reply[1]), reply[2].decode(), reply[3], reply[4]
    fields = {key.decode(): value.decode() for key, value in _pairs(reply[7:])}
    start = int(fields["start"])
    position = _position(offset, start=start, epoch=epoch, highest=number)
    if position is None or int(reply[5]) < position < int(reply[6]):
        return None
    session = Session(
        pid=pid,
        sid=fields["sid"],
        generation=int(fields["generation"]),
        epoch=epoch,
        older_boot=boot.decode(),
        older_is_open=is_open == b"1",
        position=position,
        start=start,
        saved=fields.get("saved", ""),
    )
    for name, value in fields.items():
        kind, _, address = name.partition(" ")
        if kind == "room":
            session.rooms[address] = list(_stays(value))
        elif kind == "name":
            session.names[address] = value
        elif kind == "here":
            session.people[address] = value
    return session


def _generation(reply: Sequence[Any]) -> str:
    return str(dict(_pairs(reply[7:]))[b"generation"].decode())


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _position(offset: object, *, start: int, epoch: str, highest: int) -> int | None:
    """The number up to which the client has all.

    None at all: it has got nothing yet. An older one than the session: it keeps its offset under a
    new pid. None is returned for what cannot be trusted: another epoch's, or one from the future.
    """
    if offset is None:
        return start
    try:
        position = Position.parse(offset)
    except InvalidPosition:
        return None
    if position.epoch != epoch or position.number > highest:
        return None
    return max(position.number, start)


def _stays(text: str) -> Iterator[Stay]:
    for stay in text.split():
        since, _, till = stay.partition("-")
        yield Stay(int(since), int(till) if till else None)


def room_of(address: str, names: dict[str, str]) -> Any:
    """The room that an address of a room means."""
    if address in names:
        return json.loads(names[address])
    return json.loads(address.partition(",")[2])
