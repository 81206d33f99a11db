"""Waits double, are capped, are jittered, and are forgotten after a stable run."""

from __future__ import annotations

import pytest

from siocluster.master.backoff import STABLE_SECONDS, Backoff


def without_jitter(first: float = 0.5, longest: float = 30) -> Backoff:
    return Backoff(first, longest, chance=lambda: 0.0)


def test_each_short_run_doubles_the_wait_up_to_the_cap() -> None:
    backoff = without_jitter()
    waits = [backoff.after_run(None) for _ in range(9)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_run_that_was_ready_but_not_for_long_counts_as_short() -> None:
    backoff = without_jitter()
    assert [backoff.after_run(0), backoff.after_run(STABLE_SECONDS - 0.01)] == [0.5, 1]


def test_after_a_stable_run_the_next_one_starts_at_once() -> None:
    assert without_jitter().after_run(STABLE_SECONDS) == 0


def test_a_stable_run_makes_all_short_ones_forgotten() -> None:
    backoff = without_jitter()
    for _ in range(5):
        backoff.after_run(None)
    backoff.after_run(STABLE_SECONDS)
    assert backoff.after_run(None) == 0.5


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 8), (0.5, 9), (1.0, 10)])
def test_jitter_adds_up_to_a_quarter(chance: float, wait: float) -> None:
    assert Backoff(8, 30, chance=lambda: chance).after_run(None) == wait


def test_slots_that_die_together_do_not_come_back_together() -> None:
    waits = {Backoff(1, 30).after_run(None) for _ in range(20)}
    assert len(waits) > 10
    assert all(1 <= wait <= 1.25 for wait in waits)


def test_a_slot_that_fails_for_years_overflows_nothing() -> None:
    backoff = without_jitter(first=0.01, longest=3600)
    backoff.short_runs = 10**6
    assert backoff.after_run(None) == 3600
