"""Who is who, which rooms a connection is in, and who is here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from flask import session

from siocluster import rooms

from .places import door
from .rules import MAX_ROOMS, Refused

MOST_SHOWN = 200  # people that an answer lists


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in one room. `id` is public, and the same on every worker and after a reconnect."""

    id: str
    username: str
    roomid: str


def public_id(key: str) -> str:
    """The id others see, of a secret only its owner knows: nobody can speak with another's id."""
    return hashlib.blake2s(key.encode(), digest_size=9, person=b"chat-id").hexdigest()


def remember(member: Member) -> None:
    """Notes that this connection is in the room. Again is nothing new; as another is refused."""
    known = _rooms()
    before = known.get(member.roomid)
    now = {"id": member.id, "username": member.username}
    if before is not None and before != now:
        raise Refused("already_joined", "This connection is in that room by another name.")
    if before is None and len(known) >= MAX_ROOMS:
        raise Refused("too_many_rooms", f"One connection may be in {MAX_ROOMS} rooms. Leave one.")
    session["rooms"] = {**known, member.roomid: now}


def forget(member: Member) -> None:
    session["rooms"] = {roomid: who for roomid, who in _rooms().items() if roomid != member.roomid}


def member_of(roomid: str) -> Member:
    """This connection's member of a room that it has joined."""
    who = _rooms().get(roomid)
    if who is None:
        raise Refused("not_joined", 'Join first: send join {"username": "Ada"}.')
    return Member(id=who["id"], username=who["username"], roomid=roomid)


def people_in(roomid: str) -> tuple[list[dict[str, Any]], int]:
    """The first of those who are here, over all workers, and how many there are in all."""
    here = rooms.members(door(roomid))
    shown = [{"id": one.id, "username": one.data["username"]} for one in here[:MOST_SHOWN]]
    return shown, len(here)


def _rooms() -> dict[str, dict[str, str]]:
    # Plain values: they come back with a recovered connection, as JSON.
    known: dict[str, dict[str, str]] = session.get("rooms", {})
    return known
