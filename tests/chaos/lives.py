"""A client as its record shows it: where it stands, and how long it was away."""

from __future__ import annotations

from dataclasses import dataclass, field

NOWHERE = -1


@dataclass(slots=True)
class Life:
    """Ranks rise over all rooms of a client; `cursor` is the last one it has seen live."""

    client: int
    rooms: frozenset[str]
    cursor: int = NOWHERE
    epoch: int | None = None  # of the life since it was last told
    connected: bool = False
    met: bool = False  # has been connected once
    sid: str = ""
    connected_at: float = 0.0
    heard_at: float = 0.0
    cut_at: float | None = None
    target: int | None = None  # caught up when the cursor is there
    joined: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)  # joined, and nothing has come live since

    @property
    def name(self) -> str:
        return f"c{self.client:03}"

    def cut(self, at: float) -> None:
        self.connected = False
        if self.cut_at is None:
            self.cut_at = at

    def begin_anew(self) -> None:
        """It was told: what it had joined is gone, and so is the epoch."""
        self.epoch = None
        self.joined.clear()
        self.fresh.clear()

    def catch_up(self, rank: int, at: float) -> float | None:
        """Seconds from the cut, once what was there at its return has been seen."""
        if self.target is None or rank < self.target or self.cut_at is None:
            return None
        took = at - self.cut_at
        self.target = self.cut_at = None
        return took

    @property
    def is_back(self) -> bool:
        return self.connected and self.joined == self.rooms
