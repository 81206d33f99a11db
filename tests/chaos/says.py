"""What was said: a compact table of every message id, its rank and whether it was acknowledged.

An id is `c007-r03-000123`: client, index of the room, the client's own count.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from dataclasses import dataclass

ID = re.compile(r"c(\d+)-r(\d+)-(\d+)")
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Said:
    """A message id, taken apart."""

    client: int
    room: int
    count: int


def read(message: str) -> Said | None:
    """None for what nobody says: an announcement such as `join Ada`."""
    found = ID.fullmatch(message)
    return Said(*map(int, found.groups())) if found else None


class Says:
    """Ranks by client and count: an hour has some 700 000, too many for a dict of texts."""

    def __init__(self) -> None:
        self._ranks: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
        self._last_count: dict[int, int] = {}
        self._outstanding: dict[Said, float] = {}
        self.made = 0
        self.acked = 0

    def make(self, said: Said, *, at: float) -> None:
        """For the first time; what is said again is the same."""
        self.made += 1
        self._last_count[said.client] = said.count
        self._outstanding[said] = at

    def ack(self, said: Said) -> float | None:
        """When it was first said; None when it had been acknowledged before."""
        at = self._outstanding.pop(said, None)
        self.acked += at is not None
        return at

    def rank(self, said: Said) -> int:
        """UNKNOWN until somebody has learnt it."""
        ranks = self._ranks[said.client]
        return ranks[said.count] if said.count < len(ranks) else UNKNOWN

    def place(self, said: Said, rank: int) -> None:
        ranks = self._ranks[said.client]
        if said.count >= len(ranks):
            ranks.extend([UNKNOWN] * (said.count + 1 - len(ranks)))
        ranks[said.count] = rank

    def outstanding_since(self, at: float) -> int:
        """How many unanswered ones were first said up to then."""
        return sum(1 for said_at in self._outstanding.values() if said_at <= at)

    @property
    def outstanding(self) -> int:
        return len(self._outstanding)

    def invented(self) -> list[str]:
        """Ids that were seen though their client never said so much."""
        return [
            f"c{client:03} has said {self._last_count.get(client, -1) + 1}, seen were {len(ranks)}"
            for client, ranks in self._ranks.items()
            if len(ranks) > self._last_count.get(client, -1) + 1
        ]
