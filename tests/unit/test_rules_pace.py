"""How fast one connection may ask, by a clock of the test's own."""

from __future__ import annotations

import pytest

from chatapp.pace import Bucket, Pace, TooFast, pace_of


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(clock: Clock) -> Bucket:
    return Bucket(burst=20, a_second=10, clock=clock)


def takes(bucket: Bucket) -> int:
    """How many go through at this moment."""
    count = 0
    try:
        while count < 1000:
            bucket.take()
            count += 1
    except TooFast:
        pass
    return count


def test_twenty_at_once_then_ten_a_second(bucket: Bucket, clock: Clock) -> None:
    assert takes(bucket) == 20
    clock.now += 1
    assert takes(bucket) == 10
    clock.now += 3600
    assert takes(bucket) == 20


def test_who_waits_as_told_is_heard(bucket: Bucket, clock: Clock) -> None:
    takes(bucket)
    with pytest.raises(TooFast) as told:
        bucket.take()
    assert 0 < told.value.retry_after <= 0.11
    clock.now += told.value.retry_after
    bucket.take()


def test_asking_too_early_does_not_lengthen_the_wait(bucket: Bucket, clock: Clock) -> None:
    takes(bucket)
    for _ in range(100):
        with pytest.raises(TooFast):
            bucket.take()
    clock.now += 0.11
    bucket.take()


def test_only_the_first_of_a_flood_is_news(bucket: Bucket, clock: Clock) -> None:
    def is_first() -> bool:
        with pytest.raises(TooFast) as told:
            bucket.take()
        return told.value.is_first

    for _ in range(20):
        bucket.take()
    assert [is_first(), is_first(), is_first()] == [True, False, False]
    clock.now += 0.15
    bucket.take()
    assert is_first()


def test_what_one_says_and_what_one_asks_are_counted_apart() -> None:
    pace = Pace()
    for _ in range(20):
        pace.keep("say")
    with pytest.raises(TooFast):
        pace.keep("say")
    for _ in range(50):  # a return to as many rooms as there may be
        pace.keep("join")


def test_a_connection_keeps_its_pace_and_another_has_its_own() -> None:
    one: dict[str, object] = {}
    other: dict[str, object] = {}
    assert pace_of(one) is pace_of(one) is not pace_of(other)
