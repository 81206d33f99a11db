"""The chat's wire.

A client connects, joins rooms, and talks in them:

    join    {username, roomid?, key?}   key: a secret of the client's, 8 to 64 of A-Z a-z 0-9 - _
    say     {text, roomid?, id?}        id: the client's own for this message, 1 to 64 such letters
    history {before, roomid?, limit?}   before: a position; limit: at most 100, without it 50
    leave   {roomid?}
    mark    {}                          answered after all that was on its way to the client

`roomid` may be left out by a client that named a room as it connected (`?roomid=NAME`); it is in
that one then. One connection may be in 50 rooms. Joining a room again changes nothing.

Everyone in the room, the sender too, gets the event `message`, and a position with it:

    {event: "join",           data: {username, id, roomid, time}, position}
    {event: "broadcast_say",  data: {username, id, roomid, time, text, message_id}, position}
    {event: "broadcast_quit", data: {username, id, roomid, time}, position}

`join` and `broadcast_quit` come once for each person and room, however many connections the person
has. `id` tells people apart: it follows from `key`, or from the connection where there was none.
`time` is in milliseconds since 1970, UTC. `position` is "NUMBER-EPOCH": within one epoch, what was
said later has a higher number. The acks:

    join     {ok: true, id, roomid, messages, more, position, people: [{id, username}], here}
    say      {ok: true, id, message_id, position, time}
    history  {ok: true, roomid, messages, more}
    leave    {ok: true, roomid}
    mark     {ok: true}

`messages` are the last 50 (the 50 before), oldest first, in the form of the event; `more` says that
there are older ones. `position` of a join is that of its last message, or null. `people` are at
most 200 of those who are `here`. A `say` is answered once it is stored; sent again by the same
person with the same id within 24 hours, it is stored and told once and answered with the same
position.

What cannot be accepted is answered with `{ok: false, code, error}`: as the ack, for those who asked
for one, and as the event `refused`, for those who did not (a handler cannot know which). Some codes
mean "send it again": `too_fast` (with `retry_after`, in seconds; 20 messages at once, then 10 a
second) and, as the ack alone, `not_stored` and `unavailable`. A connection with an unusable room is
refused: CONNECT_ERROR `{message, data: {code}}`.
"""

from __future__ import annotations

from typing import Any

from flask import request, session
from flask_socketio import ConnectionRefusedError, SocketIO, join_room, leave_room

from siocluster import rooms

from . import messages, people, rules
from .answers import Answer, answered
from .packets import UNREADABLE
from .people import Member, public_id
from .places import door, talk
from .rules import HISTORY, Refused


def register(socketio: SocketIO) -> None:
    for handler in (connect, join, say, history, leave, mark):
        socketio.on_event(handler.__name__, handler)
    socketio.on_event(UNREADABLE, unreadable)
    socketio.on_event("*", unknown)
    messages.register()


def connect(auth: object = None) -> None:
    asked = request.args.get("roomid")
    try:
        session["roomid"] = None if asked is None else rules.read_room(asked)
    except Refused as refusal:
        raise ConnectionRefusedError(str(refusal), {"code": refusal.code}) from None


@answered
def join(*arguments: Any) -> Answer:
    asked = rules.read_join(arguments, roomid=session["roomid"])
    member = Member(
        id=public_id(asked.key or request.sid), username=asked.username, roomid=asked.roomid
    )
    people.remember(member)
    enter(member)
    # Read after entering: what is said meanwhile comes as an event too, and nothing in between
    # is missed. The position tells what came twice.
    told = messages.earlier(member.roomid, before=None, limit=HISTORY)
    last = told["messages"][-1]["position"] if told["messages"] else None
    shown, here = people.people_in(member.roomid)
    return {
        "id": member.id,
        "roomid": member.roomid,
        "position": last,
        **told,
        "people": shown,
        "here": here,
    }


@answered
def say(*arguments: Any) -> Answer:
    said = rules.read_say(arguments, roomid=session["roomid"])
    return messages.say(people.member_of(said.roomid), said)


@answered
def history(*arguments: Any) -> Answer:
    asked = rules.read_history(arguments, roomid=session["roomid"])
    member = people.member_of(asked.roomid)
    told = messages.earlier(member.roomid, before=asked.before, limit=asked.limit)
    return {"roomid": member.roomid, **told}


@answered
def leave(*arguments: Any) -> Answer:
    member = people.member_of(rules.read_leave(arguments, roomid=session["roomid"]))
    people.forget(member)
    leave_room(talk(member.roomid))
    leave_room(door(member.roomid))
    return {"roomid": member.roomid}


@answered
def mark(*arguments: Any) -> Answer:
    return {}


@answered
def unreadable(*arguments: Any) -> Answer:
    raise Refused("unreadable", "That was no Socket.IO event this chat can read.")


@answered
def unknown(event: str, *arguments: Any) -> Answer:
    known = "join, say, history, leave and mark"
    raise Refused("unknown_event", f"There is no such event. The chat knows {known}.")


def enter(member: Member) -> None:
    join_room(talk(member.roomid))
    join_room(door(member.roomid))
    messages.keep(member.roomid)
    rooms.arrive(door(member.roomid), member.id, {"username": member.username})
