"""The Lua scripts: every change of what the cluster remembers is one of them, all or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("lua")
LEASE_SECONDS = 6  # a worker not heard of for so long is dead to the others
# Redis refuses the others when it is full: they are needed to get out of that state.
ADDS_DATA = frozenset({"emit", "keep"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a log keeps for recovery: seconds, events and bytes a room, events a sid.

    `patience` is how many seconds may pass before a silent client is noticed.
    """

    seconds: int = 120
    events: int = 1000
    bytes: int = 1 << 20
    sid_events: int = 100
    patience: int = 60


@dataclass(frozen=True, slots=True)
class Script:
    """`text` as Redis loads it, `digest` as it is called by (EVALSHA)."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


def load(limits: Limits) -> dict[str, Script]:
    """All scripts by name, with the limits written in."""
    common = (FOLDER / "common.lua").read_text()
    values = (
        f"local EVENTS, SECONDS, BYTES = {limits.events}, {limits.seconds}, {limits.bytes}\n"
        f"local SID_EVENTS, PATIENCE = {limits.sid_events}, {limits.patience}\n"
        f"local LEASE = {LEASE_SECONDS}\n"
    )
    return {
        file.stem: Script(file.stem, _first_line(file.stem) + values + common + file.read_text())
        for file in sorted(FOLDER.glob("*.lua"))
        if file.stem != "common"
    }


def _first_line(name: str) -> str:
    """With it Redis decides before the first write whether a script may run at all."""
    return "#!lua\n" if name in ADDS_DATA else "#!lua flags=allow-oom\n"
