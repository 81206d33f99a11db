"""What a client that comes back has missed: read from every log that concerns it, or known to be
incomplete."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial

from siocluster.bus import message as kinds
from siocluster.bus.channels import Channels
from siocluster.bus.clients import Client
from siocluster.bus.link import Link
from siocluster.bus.message import Message
from siocluster.bus.names import address, namespace_address, sid_address
from siocluster.bus.reader import Reader
from siocluster.bus.resync import NO_LOG
from siocluster.bus.sessions import Session, Stay
from siocluster.bus.ticket import Reply

MOST_ROUNDS = 5


class Incomplete(Exception):
    """Something is not kept any more, or somebody has ended the session meanwhile."""


@dataclass(slots=True)
class _Heads:
    """As of one moment: what is above `number` arrives live."""

    number: int = 0
    newest: dict[str, int] = field(default_factory=dict)


class Replay:
    def __init__(self, link: Link, reader: Reader, channels: Channels, *, place: str) -> None:
        self._link = link
        self._reader = reader
        self._channels = channels
        self._place = place

    def read(self, session: Session, client: Client) -> list[Message]:
        """What `client` missed, by number; from the moment of the heads on it gets all live.

        Its rooms are subscribed here, and it is a member of those that are still open. Raises
        Incomplete, redis.exceptions.RedisError, NotStoredError.
        """
        client.replaying = True
        try:
            for _ in range(MOST_ROUNDS):
                client.disturbed = False
                found = self._round(session, client)
                if found is not None and not client.disturbed:
                    self._take_out(session, client)
                    return [found[number] for number in sorted(found)]
        finally:
            client.replaying = False
        raise Incomplete("its rooms change all the time")

    def _round(self, session: Session, client: Client) -> dict[int, Message] | None:
        """All that was missed; None when somebody put the client into a room, or out of one."""
        heads = self._subscribe(session, client)
        found: dict[int, Message] = {}
        own = sid_address(session.sid)
        self._read(session, own, [Stay(session.start, None)], heads=heads, found=found)
        if self._apply(session, found):
            return None
        self._read(session, namespace_address(client.namespace), None, heads=heads, found=found)
        for room, stays in list(session.rooms.items()):
            self._read(session, room, stays, heads=heads, found=found)
        return found

    def _take_out(self, session: Session, client: Client) -> None:
        """Of the rooms that others took it out of while it was away."""
        for room in set(session.rooms) - set(session.open_rooms()):
            self._channels.leave(client, room)

    def _subscribe(self, session: Session, client: Client) -> _Heads:
        heads = _Heads()
        spaces = [namespace_address(client.namespace), *session.rooms]
        for room in (spaces[0], *session.open_rooms()):
            self._channels.enter(client, room, since=None)
        addresses = [sid_address(session.sid), *spaces]
        ticket = self._link.call(
            "heads",
            self._place,
            *addresses,
            then=partial(self._member_from, client, addresses, heads),
        )
        self._link.wait(ticket)
        return heads

    def _member_from(
        self, client: Client, addresses: list[str], heads: _Heads, reply: Reply
    ) -> None:
        heads.number = int(reply[0])
        heads.newest = dict(zip(addresses, map(int, reply[3:]), strict=True))
        client.start = heads.number
        if client.held is not None:
            client.held.clear()  # of an earlier round: these are read from the logs now
        for room, newest in heads.newest.items():
            channel = self._channels.get(room)
            if channel is not None and client in channel.members:
                channel.members[client] = heads.number
                channel.heard(newest)

    def _read(
        self,
        session: Session,
        room: str,
        stays: list[Stay] | None,
        *,
        heads: _Heads,
        found: dict[int, Message],
    ) -> None:
        """Into `found`, what the log of `room` has of these stays (None: the whole session)."""
        stays = [Stay(session.start, None)] if stays is None else stays
        relevant = [stay for stay in stays if stay.till is None or stay.till > session.position]
        if not relevant:
            return
        lowest = max(session.position, relevant[0].since)
        newest = heads.newest.get(room, 0)
        if newest == NO_LOG:
            raise Incomplete("a key of another type is in a log's place")
        if newest <= lowest:
            return
        log = self._reader.after(room, lowest, upto=heads.number, epoch=session.epoch)
        for index, entry in enumerate(log):
            if index == 0 and entry.previous > lowest:
                raise Incomplete("more was missed than is kept")
            number = entry.message.number
            if any(stay.holds(number) for stay in relevant):
                found.setdefault(number, entry.message)
                if entry.message.head.kind == kinds.CLOSE:
                    session.leave(room, number)
                    relevant = [Stay(stay.since, stay.till or number) for stay in relevant]

    def _apply(self, session: Session, found: dict[int, Message]) -> bool:
        """What others did to the client while it was away; whether that changed its rooms."""
        changed = False
        for message in found.values():
            head = message.head
            if head.kind == kinds.DISCONNECT:
                raise Incomplete("it was disconnected meanwhile")
            if head.kind not in (kinds.ENTER, kinds.LEAVE):
                continue
            room = address(head.namespace, head.room)
            before = list(session.rooms.get(room, []))
            if head.kind == kinds.ENTER:
                if "#" in room:
                    session.names[room] = json.dumps(head.room)
                session.enter(room, message.number)
            else:
                session.leave(room, message.number)
            changed = changed or session.rooms.get(room, []) != before
        return changed
