"""From readings to rows: medians, spreads, and ratios of readings of the same round."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.suite import Reading


@dataclass(frozen=True, slots=True)
class Sample:
    """A reading of one server in one round."""

    server: str
    round: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of several values."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One server in one quantity. A void row has no value, and says why."""

    server: str
    value: Spread | None
    ratio: Spread | None = None  # to the baseline, round by round
    parts: Mapping[str, float] = field(default_factory=dict)  # medians
    note: str = ""


def spread_of(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def rows(samples: Iterable[Sample], *, quantity: str, servers: Sequence[str]) -> list[Row]:
    """A row for each server that has been measured; the first one is the baseline."""
    chosen = [sample for sample in samples if sample.reading.quantity == quantity]
    by_server = {name: [one for one in chosen if one.server == name] for name in servers}
    baseline = by_server[servers[0]]
    return [
        _row(name, its_own, baseline=baseline if name != servers[0] else [])
        for name, its_own in by_server.items()
        if its_own
    ]


def _row(server: str, samples: Sequence[Sample], *, baseline: Sequence[Sample]) -> Row:
    for sample in samples:
        if sample.reading.value is None:
            return Row(server=server, value=None, note=_note(sample))
    return Row(
        server=server,
        value=spread_of([_value(sample) for sample in samples]),
        ratio=_ratio(samples, baseline),
        parts=_part_medians(samples),
    )


def _note(sample: Sample) -> str:
    note = sample.reading.note
    return f"{note} (round {sample.round})" if note.startswith("void") else note


def _ratio(samples: Sequence[Sample], baseline: Sequence[Sample]) -> Spread | None:
    """Only rounds in which both have a value make a ratio."""
    base = {sample.round: sample.reading.value for sample in baseline}
    ratios = [_value(sample) / divisor for sample in samples if (divisor := base.get(sample.round))]
    return spread_of(ratios) if ratios else None


def _value(sample: Sample) -> float:
    value = sample.reading.value
    assert value is not None
    return value


def _part_medians(samples: Sequence[Sample]) -> dict[str, float]:
    names = {name for sample in samples for name in sample.reading.parts}
    return {
        name: statistics.median(sample.reading.parts.get(name, 0.0) for sample in samples)
        for name in sorted(names)
    }
