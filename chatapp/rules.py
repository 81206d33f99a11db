"""What the chat accepts from a client. Pure: values in, values or `Refused` out.

Lengths count code points. Names and rooms are compared in Unicode's form NFC, so that what looks
the same is the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_NAME = 40
MAX_ROOM = 64
MAX_TEXT = 4000
MAX_ROOMS = 50  # that one connection may be in
HISTORY = 50  # messages of a page, where the client does not say
MAX_HISTORY = 100
# A frame above this ends its connection unread (Engine.IO). Up to it the client is told what is
# wrong: it has room for 1 MB of UTF-8 in any script, which JSON's \u escapes can make three.
MAX_FRAME_BYTES = 4_000_000

KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LINE_BREAKS = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
# Marks that turn the direction of what follows: a name could show itself as another.
DIRECTION_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Refused(Exception):
    """The client's mistake. `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Join:
    roomid: str
    username: str
    key: str | None  # the client's secret, by which it is known again


@dataclass(frozen=True, slots=True)
class Say:
    roomid: str
    text: str
    message_id: str | None  # the client's own, so that a message sent twice is shown once


@dataclass(frozen=True, slots=True)
class History:
    roomid: str
    before: str | None  # a position, not yet judged
    limit: int


def read_room(value: object) -> str:
    """The room a client connects to: one segment of a URL's path."""
    if not value:
        raise Refused("room_missing", "Name a room: send roomid, or connect with ?roomid=NAME.")
    room = _label(value, kind="room", limit=MAX_ROOM)
    if "/" in room or "\\" in room or room in {".", ".."}:
        raise Refused("room_unusable", "A room's name is no path: leave out slashes.")
    return room


def read_join(arguments: Sequence[Any], *, roomid: str | None = None) -> Join:
    """`roomid`, here and below: the room that the client named as it connected."""
    fields = _fields(arguments, example='{"username": "Ada"}')
    return Join(
        roomid=_room(fields, roomid),
        username=_label(fields.get("username"), kind="name", limit=MAX_NAME),
        key=_key(fields.get("key")),
    )


def read_say(arguments: Sequence[Any], *, roomid: str | None = None) -> Say:
    fields = _fields(arguments, example='{"text": "Hello"}')
    return Say(
        roomid=_room(fields, roomid),
        text=_text(fields.get("text")),
        # `message_id` is its older name.
        message_id=_message_id(fields.get("id", fields.get("message_id"))),
    )


def read_history(arguments: Sequence[Any], *, roomid: str | None = None) -> History:
    fields = _fields(arguments, example='{"before": "4711-k3f9ab2c"}')
    return History(
        roomid=_room(fields, roomid),
        before=_position(fields.get("before")),
        limit=_limit(fields.get("limit", HISTORY)),
    )


def read_leave(arguments: Sequence[Any], *, roomid: str | None = None) -> str:
    """The room to leave."""
    return _room(_fields(arguments, example='{"roomid": "garden"}'), roomid)


def _room(fields: dict[str, Any], connected_to: str | None) -> str:
    named = fields.get("roomid")
    return connected_to if named is None and connected_to else read_room(named)


def _fields(arguments: Sequence[Any], *, example: str) -> dict[str, Any]:
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        raise Refused("wrong_shape", f"Send one object, such as {example}.")
    return arguments[0]


def _label(value: object, *, kind: str, limit: int) -> str:
    """A short text of one line that shows something."""
    if not isinstance(value, str):
        raise Refused(f"{kind}_missing", f"The {kind} must be a text.")
    if len(value) > limit:
        raise Refused(f"{kind}_too_long", f"The {kind} may have at most {limit} characters.")
    label = unicodedata.normalize("NFC", value.strip())
    if not _is_visible(label):
        raise Refused(f"{kind}_missing", f"The {kind} is empty.")
    if any(_is_control(one) or one in DIRECTION_MARKS for one in label):
        raise Refused(f"{kind}_unusable", f"The {kind} contains control characters.")
    return label


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refused("text_missing", "The text must be a text.")
    if len(value) > MAX_TEXT:
        raise Refused("text_too_long", f"The text may have at most {MAX_TEXT} characters.")
    text = LINE_BREAKS.sub("\n", value).rstrip()
    if not _is_visible(text):
        raise Refused("text_missing", "The text is empty.")
    if any(_is_control(one) for one in text if one not in "\n\t"):
        raise Refused("text_unusable", "The text contains control characters.")
    return text


def _key(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise Refused("wrong_shape", "key must be 8 to 64 letters, digits, '-' or '_'.")
    return value


def _message_id(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not MESSAGE_ID.fullmatch(value):
        raise Refused("wrong_shape", "id must be 1 to 64 letters, digits, '-' or '_'.")
    return value


def _position(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise Refused("position_unusable", "before must be a position, as a message carries it.")


def _limit(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_HISTORY:
        raise Refused("wrong_shape", f"limit must be a number from 1 to {MAX_HISTORY}.")
    return value


def _is_control(character: str) -> bool:
    # Cs: half of a surrogate pair, legal in JSON's escapes, cannot be sent as UTF-8.
    # Zl, Zp: they break the line.
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _is_visible(text: str) -> bool:
    """Marks (M), separators (Z) and format characters (C) alone show nothing."""
    return any(unicodedata.category(one)[0] not in "MZC" or _is_control(one) for one in text)
