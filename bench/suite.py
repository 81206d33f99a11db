"""What a bench is made of: quantities, readings of them, and the probes that take the readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.crowd import LoadError, Talk
from bench.running import Running
from bench.servers import Server


@dataclass(frozen=True, slots=True)
class Quantity:
    """`scale` turns the SI value (seconds, bytes) into `unit`. Less is better, always."""

    key: str
    title: str
    unit: str
    scale: float
    digits: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """One value in SI units, and how it divides over the parts; no value: `note` says why."""

    quantity: str
    value: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


Probe = Callable[[Running], Iterator[Reading]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Servers that are compared, the first one being the baseline.

    `fills` names for each probe the quantities that it gives: all of them are void if it fails.
    """

    servers: Sequence[Server]
    quantities: Sequence[Quantity]
    probes: Mapping[str, Probe]
    fills: Mapping[str, Sequence[str]]


def void_note(talk: Talk) -> str:
    """Why these numbers do not count; nothing if they do."""
    if talk.complete():
        return ""
    return (
        f"void: {talk.delivered} of {talk.expected} delivered,"
        f" {talk.wrong} messages not once to each member"
    )


def quantile(ordered: list[float], part: float) -> float:
    """The value that `part` of all are not above; raises LoadError without any."""
    if not ordered:
        raise LoadError("nothing was delivered")
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def shared(quantity: str, parts: Mapping[str, float], count: int) -> Reading:
    """What was spent on `count` of something, for each of them."""
    each = {part: value / count for part, value in parts.items()}
    return Reading(quantity, sum(each.values()), each)
