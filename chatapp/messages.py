"""What the members of a room are told, and what is kept of it."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from siocluster import rooms
from siocluster.rooms import Person, SioclusterError

from .people import Member
from .places import behind, door, talk
from .rules import Refused, Say

KEPT_EVENTS = 1000
KEPT_SECONDS = 30 * 24 * 60 * 60

Told = dict[str, Any]
log = logging.getLogger(__name__)


def register() -> None:
    rooms.on_joined(came)
    rooms.on_left(went)


def keep(roomid: str) -> None:
    rooms.keep(talk(roomid), events=KEPT_EVENTS, seconds=KEPT_SECONDS)


def say(member: Member, said: Say) -> Told:
    """Tells the room, and returns once that is stored: the ack's position, ids and time."""
    message_id = said.message_id or uuid.uuid4().hex
    data = {**about(member), "text": said.text, "message_id": message_id}
    position = rooms.store(
        "message",
        {"event": "broadcast_say", "data": data},
        talk(member.roomid),
        # Of the person: the same id of somebody else is another message.
        message_id=f"{member.id}:{message_id}",
    )
    return {"position": position, "id": message_id, "message_id": message_id, "time": data["time"]}


def earlier(roomid: str, *, before: str | None, limit: int) -> Told:
    """A page of what was said, oldest first, and whether there is more before it."""
    try:
        found = rooms.history(talk(roomid), before=before, limit=limit + 1)
    except ValueError:
        raise Refused("position_unusable", "That is no position of this chat.") from None
    messages = [event.args[0] for event in found]
    return {"messages": messages[-limit:], "more": len(messages) > limit}


def came(room: object, person: Person) -> None:
    announce("join", room, person)


def went(room: object, person: Person) -> None:
    announce("broadcast_quit", room, person)


def announce(event: str, room: object, person: Person) -> None:
    """Tells a room of the chat who came or went: once for each person, on one worker."""
    roomid = behind(room)
    if roomid is None:
        return
    member = Member(id=person.id, username=person.data["username"], roomid=roomid)
    try:
        rooms.store("message", {"event": event, "data": about(member)}, door(roomid))
    except SioclusterError as error:
        log.warning("%s could not be told: %s", event, error)


def about(member: Member) -> Told:
    return {
        "username": member.username,
        "id": member.id,
        "roomid": member.roomid,
        "time": time.time_ns() // 1_000_000,
    }
