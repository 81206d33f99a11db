"""The chat's wire.

A client connects with the query `roomid` and sends two events:

    join {username, key?}           key: a secret of the client's, 8 to 64 of A-Z a-z 0-9 - _
    say  {text, message_id?}        message_id: of the same letters

Everyone in the room, the sender too, gets the event `message`:

    {event: "join",           data: {username, id, roomid, time}}
    {event: "broadcast_say",  data: {username, id, roomid, time, text, message_id}}
    {event: "broadcast_quit", data: {username, id, roomid, time}}

`id` tells people apart: it follows from `key`, or from the connection where there was none. `time`
is in milliseconds since 1970, UTC. The ack of `join` is `{ok: true, id}`, of `say`
`{ok: true, message_id, time}`.

What cannot be accepted is answered with `{ok: false, code, error}`: as the ack, for those who asked
for one, and as the event `refused`, for those who did not (a handler cannot know which). A
connection without a usable room is refused: CONNECT_ERROR `{message, data: {code}}`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request, session
from flask_socketio import ConnectionRefusedError, SocketIO, emit, join_room

from . import rules
from .packets import UNREADABLE
from .people import Member, public_id
from .rules import Refused

Answer = dict[str, Any]


def register(socketio: SocketIO) -> None:
    socketio.on_event("connect", connect)
    socketio.on_event("disconnect", disconnect)
    socketio.on_event("join", join)
    socketio.on_event("say", say)
    socketio.on_event(UNREADABLE, unreadable)
    socketio.on_event("*", unknown)


def answered(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """Makes a handler's result, or its refusal, into the answer of the wire."""

    @wraps(handler)
    def answer(*arguments: Any) -> Answer:
        try:
            return {"ok": True, **handler(*arguments)}
        except Refused as refusal:
            told = {"ok": False, "code": refusal.code, "error": str(refusal)}
            emit("refused", told)
            return told

    return answer


def connect(auth: object = None) -> None:
    try:
        session["roomid"] = rules.read_room(request.args.get("roomid"))
    except Refused as refusal:
        raise ConnectionRefusedError(str(refusal), {"code": refusal.code}) from None


def disconnect(reason: object = None) -> None:
    member = session.pop("member", None)
    if member:
        tell(member, "broadcast_quit", include_self=False)


@answered
def join(*arguments: Any) -> Answer:
    asked = rules.read_join(arguments)
    if "member" in session:
        raise Refused("already_joined", "This connection has joined already.")
    member = Member(
        id=public_id(asked.key or request.sid),
        username=asked.username,
        roomid=session["roomid"],
    )
    session["member"] = member
    join_room(place(member))
    tell(member, "join")
    return {"id": member.id}


@answered
def say(*arguments: Any) -> Answer:
    member = session.get("member")
    if member is None:
        raise Refused("not_joined", 'Join first: send join {"username": "Ada"}.')
    said = rules.read_say(arguments)
    message_id = said.message_id or uuid.uuid4().hex
    data = tell(member, "broadcast_say", text=said.text, message_id=message_id)
    return {"message_id": message_id, "time": data["time"]}


@answered
def unreadable(*arguments: Any) -> Answer:
    raise Refused("unreadable", "That was no Socket.IO event this chat can read.")


@answered
def unknown(event: str, *arguments: Any) -> Answer:
    raise Refused("unknown_event", "There is no such event. The chat knows join and say.")


def tell(member: Member, event: str, *, include_self: bool = True, **more: str) -> Answer:
    """Tells everyone in the member's room; returns what they were told."""
    data = {
        "username": member.username,
        "id": member.id,
        "roomid": member.roomid,
        "time": time.time_ns() // 1_000_000,
        **more,
    }
    emit("message", {"event": event, "data": data}, to=place(member), include_self=include_self)
    return data


def place(member: Member) -> str:
    """The Socket.IO room. The prefix keeps it apart from sids, each of which is a room as well."""
    return f"chat:{member.roomid}"
