"""What travels on the bus and stands in the room log: values ↔ bytes.

    published   NUMBER EPOCH PREVIOUS[,PREVIOUS…] CHAIN \\n HEAD \\n BODY
    stored      HEAD \\n BODY, in the stream entry NUMBER-MILLISECONDS

PREVIOUS is, for each target, the number of the entry before this one in its log (0: none; "-": not
stored). CHAIN is the same for the channel of a slot, "-" on other channels. HEAD is one line of
JSON. BODY is the Socket.IO packet as it goes to a client: its text, then binary attachments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from engineio import packet as engineio

EMIT = "emit"
CLOSE = "close"  # of a room
ENTER, LEAVE, DISCONNECT = "enter", "leave", "disconnect"  # of a sid that lives elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Whom and what: `targets` are addresses; `sizes` the lengths of the packet's parts in bytes.

    `callback` is (boot, room, namespace, id) of who waits for the clients' acks. `stamped`: the
    position belongs into the last argument, an object.
    """

    kind: str = EMIT
    targets: tuple[str, ...] = ()
    namespace: str = "/"
    room: Any = None
    skip: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    callback: tuple[Any, ...] | None = None
    stored: bool = True
    stamped: bool = False

    def encode(self) -> str:
        """One line. Fields that have their default are left out: this is sent with each event."""
        fields = {key: getattr(self, name) for name, key in KEYS.items()}
        short = {key: value for key, value in fields.items() if value != DEFAULTS[key]}
        return json.dumps(short, separators=(",", ":"))


KEYS = {
    "kind": "k",
    "targets": "t",
    "namespace": "n",
    "room": "r",
    "skip": "x",
    "sizes": "z",
    "callback": "c",
    "stored": "s",
    "stamped": "p",
}
DEFAULTS = {key: getattr(Head(), name) for name, key in KEYS.items()}
LONGEST_REMEMBERED = 512  # bytes of a head
LISTS = frozenset({"targets", "skip", "sizes", "callback"})


def parse_head(text: bytes) -> Head:
    """Raises ValueError for what is no head of ours. A room's head is mostly the same text."""
    return _parse_short(text) if len(text) <= LONGEST_REMEMBERED else _parse(text)


@lru_cache(maxsize=4096)
def _parse_short(text: bytes) -> Head:
    return _parse(text)


def _parse(text: bytes) -> Head:
    try:
        fields = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError("no object")
    values: dict[str, Any] = {
        name: tuple(fields[key]) if name in LISTS else fields[key]
        for name, key in KEYS.items()
        if key in fields
    }
    return Head(**values)


@dataclass(frozen=True)
class Message:
    """One thing with a place in the order. `parts`: the packet's text, then its attachments."""

    number: int
    epoch: str
    head: Head
    parts: tuple[bytes, ...] = ()
    previous: Mapping[str, int] = field(default_factory=dict)  # by target; none for replays
    chain: int | None = None

    @cached_property
    def packets(self) -> list[engineio.Packet]:
        """As clients without recovery get it."""
        return self._packets(self._stamped())

    @cached_property
    def positioned(self) -> list[engineio.Packet]:
        """With the position as the last argument, as recovery wants it."""
        text = self._stamped()
        return self._packets(text[:-1] + b',"%d-%s"]' % (self.number, self.epoch.encode()))

    def _stamped(self) -> bytes:
        text = self.parts[0]
        if not self.head.stamped:
            return text
        start = text[:-2]  # without the ends of the object and of the arguments
        comma = b"" if start.endswith(b"{") else b","
        return start + comma + b'"position":"%d-%s"}]' % (self.number, self.epoch.encode())

    def _packets(self, text: bytes) -> list[engineio.Packet]:
        first = engineio.Packet(engineio.MESSAGE, text.decode())
        return [first, *(engineio.Packet(engineio.MESSAGE, part) for part in self.parts[1:])]


def parse_published(data: bytes) -> Message:
    """What came over a channel; raises ValueError for anything that is not ours."""
    line, head_text, body = _split(data, 2)
    number, epoch, previous, chain = line.split(b" ")
    head = parse_head(head_text)
    return Message(
        int(number),
        epoch.decode(),
        head,
        cut(body, head.sizes),
        previous_by_target(head.targets, previous.decode()),
        None if chain == b"-" else int(chain),
    )


def parse_stored(entry_id: bytes, stored: bytes, *, epoch: str) -> Message:
    """What stands in a log; raises ValueError."""
    head_text, body = _split(stored, 1)
    head = parse_head(head_text)
    return Message(int(entry_id.partition(b"-")[0]), epoch, head, cut(body, head.sizes))


def previous_by_target(targets: Sequence[str], text: str) -> dict[str, int]:
    """ "12,0" → the number before, for each target; empty where nothing was stored."""
    if text == "-":
        return {}
    return dict(zip(targets, map(int, text.split(",")), strict=True))


def cut(body: bytes, sizes: Sequence[int]) -> tuple[bytes, ...]:
    """The parts of a body; raises ValueError when they do not add up."""
    if not sizes:
        return (body,) if body else ()
    if sum(sizes) != len(body):
        raise ValueError("the parts do not add up")
    parts, start = [], 0
    for size in sizes:
        parts.append(body[start : start + size])
        start += size
    return tuple(parts)


def _split(data: bytes, times: int) -> list[bytes]:
    pieces = data.split(b"\n", times)
    if len(pieces) != times + 1:
        raise ValueError("too few lines")
    return pieces
