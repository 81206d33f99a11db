"""One room: what its numbers name, who has seen each, and who had to.

An entry is kept until each member has seen it, is excused or is charged with it, so that an hour
of talk needs no more memory than the longest absence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.chaos import says
from tests.chaos.positions import start_of_epoch

# Whether Redis kept what it had acknowledged at a time; asked for epochs that have ended.
Survives = Callable[[float], bool]


ACKED_KEPT = 200  # more than a history shows


class Acked(NamedTuple):
    rank: int
    message: str
    at: float


@dataclass(slots=True)
class Entry:
    """Masks have a bit for each member. `done`: excused or charged."""

    message: str
    announcement: bool
    learnt_at: float
    acked_at: float | None = None
    seen: int = 0
    done: int = 0


@dataclass(slots=True)
class Stretch:
    """Ranks over which a client was a member: it had to see all of them, up to `high` if told.

    `low`: before the history that came with its join; None for the begin of the epoch. `base`: the
    first live event after its join, which tells the epoch; announcements are no part of a history,
    so they count from there.
    """

    low: int | None
    base: int | None = None
    high: int | None = None

    def begin(self, rank: int) -> None:
        """The first live event after the join, of any room."""
        self.base = rank
        if self.low is None:
            self.low = start_of_epoch(rank)

    def demands(self, rank: int, entry: Entry, survives: Survives) -> bool:
        if self.high is not None and rank > self.high:
            return False
        floor = self.base if entry.announcement else self.low
        if self.base is None or floor is None or rank <= floor:
            return False
        if rank >= start_of_epoch(self.base):
            return True
        return entry.acked_at is not None and survives(entry.acked_at)

    def is_past(self, rank: int) -> bool:
        """Whether what it does not demand now it never will."""
        return self.high is None and self.base is not None and rank <= self.base


@dataclass(frozen=True, slots=True)
class Missing:
    """What one client should have seen and has not."""

    client: int
    entries: tuple[tuple[int, Entry], ...]


class RoomBook:
    def __init__(self, name: str, members: Sequence[int], *, survives: Survives) -> None:
        self.name = name
        self.members = tuple(members)
        self._survives = survives
        self._bits = {client: 1 << index for index, client in enumerate(members)}
        self._everyone = (1 << len(members)) - 1
        self._stretches: dict[int, list[Stretch]] = {client: [] for client in members}
        self._pending: dict[int, Entry] = {}
        self._settled_announcements: set[int] = set()
        self._acked: deque[Acked] = deque(maxlen=ACKED_KEPT)

    def __len__(self) -> int:
        """How many entries wait for somebody."""
        return len(self._pending)

    def learn(self, rank: int, message: str, at: float, *, known: bool) -> Entry | None:
        """The entry; None when it is settled. `known`: this rank of it was met before."""
        entry = self._pending.get(rank)
        if entry is None and not known and rank not in self._settled_announcements:
            announcement = says.read(message) is None
            entry = self._pending[rank] = Entry(message, announcement, at)
        return entry

    def ack(self, rank: int, message: str, at: float) -> None:
        """For the first time."""
        self._acked.append(Acked(rank, message, at))
        if rank in self._pending:
            self._pending[rank].acked_at = at

    def absent_from(self, history: Sequence[tuple[int, str]], *, read_after: float) -> list[Acked]:
        """What was acknowledged lately and should be in a history, and is not.

        By what was acknowledged, not by the history's ranks: a new epoch may count what it kept.
        """
        shown = {message for _, message in history}
        kept = [acked.rank for acked in self._acked if acked.message in shown]
        if not kept:
            return []
        first, last = min(kept), max(kept)
        return [
            acked
            for acked in self._acked
            if first <= acked.rank
            and (acked.rank <= last or acked.at < read_after)
            and acked.message not in shown
        ]

    def mark_seen(self, client: int, entry: Entry) -> None:
        entry.seen |= self._bits[client]

    def has_seen(self, client: int, entry: Entry) -> bool:
        return bool(entry.seen & self._bits[client])

    def is_open(self, client: int) -> bool:
        """Whether it has joined and was not told since."""
        stretches = self._stretches[client]
        return bool(stretches) and stretches[-1].high is None

    def open(self, client: int, stretch: Stretch) -> None:
        """Old stretches are settled long before the third after them begins."""
        self._stretches[client] = [*self._stretches[client][-3:], stretch]

    def begin(self, client: int, rank: int) -> None:
        """The client's first live event since it joined, of any room."""
        self._stretches[client][-1].begin(rank)

    def close(self, client: int, *, high: int) -> None:
        """It was told that it has missed what comes after `high`."""
        if self.is_open(client):
            self._stretches[client][-1].high = high

    def count_after(self, rank: int) -> int:
        """How many entries above `rank` somebody still waits for."""
        return sum(1 for pending in self._pending if pending > rank)

    def judge(
        self, cursors: Mapping[int, float], *, learnt_before: float, final: bool = False
    ) -> list[Missing]:
        """What clients have passed without seeing it; settles what needs no more looks."""
        missing: dict[int, list[tuple[int, Entry]]] = {}
        settled = []
        for rank, entry in self._pending.items():
            if entry.learnt_at > learnt_before:
                break  # they are in the order in which they were learnt
            for client in self._absent(entry):
                if self._owes(client, rank, entry, cursors[client], final=final):
                    missing.setdefault(client, []).append((rank, entry))
            if (entry.seen | entry.done) == self._everyone:
                settled.append(rank)
        for rank in settled:
            self._settle(rank)
        return [Missing(client, tuple(entries)) for client, entries in missing.items()]

    def _absent(self, entry: Entry) -> Iterator[int]:
        left = self._everyone & ~(entry.seen | entry.done)
        while left:
            lowest = left & -left
            yield self.members[lowest.bit_length() - 1]
            left ^= lowest

    def _owes(self, client: int, rank: int, entry: Entry, cursor: float, *, final: bool) -> bool:
        """Whether to charge the client's missing sight now; marks it done if that is decided."""
        demanded = any(
            stretch.demands(rank, entry, self._survives) for stretch in self._stretches[client]
        )
        if demanded:
            decided = rank <= cursor
        else:
            decided = final or any(one.is_past(rank) for one in self._stretches[client][-1:])
        if decided:
            entry.done |= self._bits[client]
        return demanded and decided

    def _settle(self, rank: int) -> None:
        if self._pending.pop(rank).announcement:
            self._settled_announcements.add(rank)
