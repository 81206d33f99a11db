"""What can be wrong with a run, in words that name the client, the room and the positions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

KEPT = 200  # the rest is only counted: one bad fault can break a promise at each client


class Kind(StrEnum):
    """The promises, as they are broken."""

    LOSS = "lost"
    GAP = "silent gap"
    DOUBLE = "double"
    ORDER = "reordering"
    EPOCH = "mixed epochs"
    TOLD = "told without need"
    UNTOLD = "not told"
    REFUSED = "refused for good"
    UNACKED = "too few acknowledged"
    DEAF = "not back in time"
    IDLE = "nothing in flight"
    STRANGE = "strange"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Violation:
    """`at`: seconds of the monotonic clock."""

    kind: Kind
    at: float
    words: str


@dataclass(slots=True)
class Violations:
    """All are counted, the first ones kept."""

    counts: Counter[Kind] = field(default_factory=Counter)
    kept: list[Violation] = field(default_factory=list)

    def add(self, kind: Kind, at: float, words: str) -> None:
        self.counts[kind] += 1
        if len(self.kept) < KEPT:
            self.kept.append(Violation(kind, at, words))

    def __bool__(self) -> bool:
        return bool(self.counts)
