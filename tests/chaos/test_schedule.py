"""Faults come in an order that a seed repeats, all kinds before one comes again."""

from __future__ import annotations

from itertools import islice

from tests.chaos.faults.table import table
from tests.chaos.plan import Plan
from tests.chaos.schedule import Round, rounds

PLAN = Plan(minutes=1, seed=0)


def first(count: int, *, seed: int) -> list[Round]:
    return list(islice(rounds(table(PLAN), seed=seed), count))


def names(played: list[Round]) -> list[str]:
    return [blow.fault.name for each in played for blow in each.blows]


def test_same_seed_gives_the_same_faults() -> None:
    assert first(50, seed=7) == first(50, seed=7)
    assert names(first(50, seed=7)) != names(first(50, seed=8))


def test_every_kind_hits_before_one_hits_again() -> None:
    kinds = {fault.name for fault in table(PLAN)}
    for seed in range(50):
        # One that did not go with its partner waits for the next round.
        assert kinds <= set(names(first(len(kinds), seed=seed)))


def test_two_faults_at_a_time_never_hit_the_same_thing() -> None:
    pairs = [each.blows for each in first(500, seed=1) if len(each.blows) == 2]
    assert len(pairs) > 150
    for one, other in pairs:
        assert one.fault.touches != other.fault.touches or one.fault.touches == "worker"


def test_named_kinds_are_the_only_ones() -> None:
    plan = Plan(minutes=1, seed=0, kinds=("kill_worker", "flush"))
    assert {fault.name for fault in table(plan)} == {"kill_worker", "flush"}
