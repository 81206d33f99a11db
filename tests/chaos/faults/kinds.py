"""What a kind of fault is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from random import Random

from tests.chaos.roster import Group
from tests.chaos.stage import Stage

# Hits and heals, and says what it chose, such as "worker 1". Whatever ends it, it heals.
Hit = Callable[[Stage, Random], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`touches`: what only one fault at a time may have its hands on.

    `told`: the clients that it has to make reload. `lost_before`: seconds before its begin from
    which on Redis may lose what it acknowledged; None: nothing. `lasts`: seconds of one that goes
    on beside many others; else 0.
    """

    name: str
    hit: Hit
    touches: str
    told: tuple[Group, ...] = ()
    lost_before: float | None = None
    lasts: float = 0.0

    def certain_until(self, began_at: float) -> float | None:
        return None if self.lost_before is None else began_at - self.lost_before


EVERYTHING = inf
AWAKE = (Group.STEADY, Group.DOOR)
