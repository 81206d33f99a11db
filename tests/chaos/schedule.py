"""Which faults hit when: the same for the same seed, and every kind before one comes again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.chaos.faults.kinds import Fault

PAIRS = 0.45  # the share of rounds with two faults at a time
LONGEST_HEADSTART = 2.0
SHARED = {"worker"}  # there are several: each fault takes one of its own


@dataclass(frozen=True, slots=True)
class Blow:
    """One fault, so many seconds after the begin of its round."""

    fault: Fault
    delay: float
    seed: int


@dataclass(frozen=True, slots=True)
class Round:
    """Faults that overlap, and the quiet seconds after them."""

    blows: tuple[Blow, ...]
    rest: float


def rounds(faults: Sequence[Fault], *, seed: int) -> Iterator[Round]:
    """Without an end."""
    chance = Random(seed)
    bag = _bag(faults, chance)
    held: list[Fault] = []
    while True:
        chosen = [held.pop(0) if held else next(bag)]
        if chance.random() < PAIRS and len(faults) > 1:
            other = next(bag)
            (chosen if _go_together(chosen[0], other) else held).append(other)
        yield Round(tuple(_blows(chosen, chance)), rest=chance.uniform(0.5, 2.5))


def _bag(faults: Sequence[Fault], chance: Random) -> Iterator[Fault]:
    """All in a new order each time; those that go on for long come first, to have the time."""
    while True:
        yield from sorted(chance.sample(faults, len(faults)), key=lambda fault: not fault.lasts)


def _go_together(one: Fault, other: Fault) -> bool:
    return one.touches != other.touches or one.touches in SHARED


def _blows(faults: Sequence[Fault], chance: Random) -> Iterator[Blow]:
    for index, fault in enumerate(faults):
        delay = chance.uniform(0, LONGEST_HEADSTART) if index else 0.0
        yield Blow(fault, delay, seed=chance.randrange(1 << 32))
