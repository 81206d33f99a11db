"""The Socket.IO rooms behind a room of the chat.

Two of them: what is said goes to one and who comes and goes to the other, so that the history is
of messages alone, however many people walk in and out. The prefixes keep both apart from sids, each
of which is a room as well.
"""

from __future__ import annotations

TALK = "talk:"
DOOR = "door:"


def talk(roomid: str) -> str:
    """Where the room's messages go, and are kept."""
    return TALK + roomid


def door(roomid: str) -> str:
    """Where its people are, and are told who comes and goes."""
    return DOOR + roomid


def behind(room: object) -> str | None:
    """The room of the chat that this is the door of."""
    if isinstance(room, str) and room.startswith(DOOR):
        return room.removeprefix(DOOR)
    return None
