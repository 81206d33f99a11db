"""Names on Redis: addresses of rooms, namespaces and sids, and the keys and channels made of them.

An address says who is meant: `s:SID`, `n:NAMESPACE`, or `r:NAMESPACE,ROOM` with the room as JSON,
so that the room 42 is not the room "42". It is ASCII, without white space of its own, and short.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Hashable
from dataclasses import dataclass

SID = re.compile(r"[a-z0-9]{0,7}[a-z][0-9]{1,4}-[A-Za-z0-9_-]{20}")
LONGEST_NAME = 200  # of a room's JSON; a longer one is replaced by its digest


def is_sid(room: object) -> bool:
    """Whether it has the exact form of a session id: such a name is a sid everywhere."""
    return isinstance(room, str) and SID.fullmatch(room) is not None


def sid_address(sid: str) -> str:
    return f"s:{sid}"


def namespace_address(namespace: str) -> str:
    return f"n:{_safe(namespace)}"


def room_address(namespace: str, room: Hashable) -> str:
    """Raises TypeError for what no stock worker could send through Redis either."""
    if isinstance(room, float) and not math.isfinite(room):
        raise TypeError(f"A room's name is a text or a number, not {room}.")
    if isinstance(room, bool | float) and room == int(room):
        room = int(room)  # one key of a dict, so one room
    if not isinstance(room, str | int | float):
        raise TypeError(f"A room's name is a text or a number, not {type(room).__name__}.")
    return f"r:{_safe(namespace)},{_safe(json.dumps(room))}"


def address(namespace: str, room: Hashable) -> str:
    """The address of a room, of a sid, or (None) of a whole namespace."""
    if room is None:
        return namespace_address(namespace)
    if is_sid(room):
        return sid_address(str(room))
    return room_address(namespace, room)


def _safe(name: str) -> str:
    if len(name) <= LONGEST_NAME and name.isascii() and name.isprintable():
        return name.replace(" ", "\\u0020")
    return "#" + hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Names:
    """Keys and channels of one cluster. All share one hash tag, as the scripts need it."""

    prefix: str

    @property
    def root(self) -> str:
        """What every key and channel begins with."""
        return f"{{{self.prefix}}}:"

    def log(self, address: str) -> str:
        return f"{self.root}log:{address}"

    def channel(self, address: str) -> str:
        return f"{self.root}channel:{address}"

    def place(self, place: str) -> str:
        """The channel of a slot, for what is addressed to a sid there."""
        return f"{self.root}place:{place}"

    def worker(self, boot: str) -> str:
        """The channel of one worker process: its own heartbeat, answers to its requests."""
        return f"{self.root}worker:{boot}"
