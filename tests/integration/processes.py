"""What runs in a session of ours, as /proc tells it. Titles change; a session's id does not."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GONE = ("Z", "X")


@dataclass(frozen=True, slots=True)
class Member:
    """One process. `title` is what `ps` shows."""

    pid: int
    parent: int
    session: int
    title: str


def session(leader: int) -> list[Member]:
    """Whoever lives in the session that `leader` has begun, also when the leader is dead."""
    return [member for member in map(look, _pids()) if member and member.session == leader]


def titled(leader: int, start: str) -> list[Member]:
    """The members of a session whose title begins so."""
    return [member for member in session(leader) if member.title.startswith(start)]


def is_guard(member: Member | None) -> bool:
    """Whether it is what the master puts between itself and a service."""
    return member is not None and "guard.py" in member.title


def end_session(leader: int) -> list[Member]:
    """SIGKILL to everybody who is left; returns who that was."""
    left = session(leader)
    for member in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member.pid, signal.SIGKILL)
    return left


def _pids() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def look(pid: int) -> Member | None:
    """None for one that is gone, or dead and not yet reaped."""
    try:
        fields = _stat(pid)
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    if fields[0] in GONE:
        return None
    words = title.replace(b"\0", b" ").decode(errors="replace").strip()
    return Member(pid, parent=int(fields[1]), session=int(fields[3]), title=words)


def _stat(pid: int) -> list[str]:
    """State, parent, process group, session, … (proc(5)): what follows the name in brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
