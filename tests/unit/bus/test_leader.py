"""Leading with a clock of the test's own: it ends here before Redis gives the lease to another."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator

import gevent
import pytest

from siocluster.bus import leader
from siocluster.bus.leader import MARGIN_SECONDS, Leadership
from siocluster.bus.scripts import LEASE_SECONDS
from siocluster.bus.values import Timer
from tests.integration.waiting import SCALE

LEASE = LEASE_SECONDS - MARGIN_SECONDS
PAUSE = 0.001
PATIENCE = 5 * SCALE
Start = Callable[[Callable[[], object]], None]


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leadership(clock: Clock) -> Leadership:
    return Leadership(clock)


@pytest.fixture
def timer(leadership: Leadership) -> Iterator[Start]:
    """Start one that runs a function all the time."""
    before = set(running())
    yield lambda function: leadership.start(Timer(function, PAUSE))
    gevent.killall([one for one in running() if one not in before])


def running() -> list[gevent.Greenlet]:
    return [one for one in gc.get_objects() if isinstance(one, gevent.Greenlet) and not one.dead]


def wait_for(condition: Callable[[], object]) -> None:
    with gevent.Timeout(PATIENCE):
        while not condition():
            gevent.sleep(PAUSE)


def turns() -> None:
    """Enough of them for a timer to run, if it would."""
    for _ in range(20):
        gevent.sleep(PAUSE)


# The lease


def test_nobody_leads_unasked(leadership: Leadership) -> None:
    assert not leadership.leads
    leadership.renewed("", asked=1000.0)
    assert not leadership.leads


def test_lease_counts_from_when_it_was_asked_for_and_ends_before_redis_ends_it(
    leadership: Leadership, clock: Clock
) -> None:
    leadership.renewed("7", asked=998.0)
    clock.now = 998.0 + LEASE - 0.01
    assert leadership.leads
    clock.now = 998.0 + LEASE
    assert not leadership.leads
    assert clock.now < 998.0 + LEASE_SECONDS


def test_each_beat_renews_it(leadership: Leadership, clock: Clock) -> None:
    for _ in range(10):
        leadership.renewed("7", asked=clock.now)
        clock.now += LEASE - 0.5
        assert leadership.leads


def test_answer_that_comes_too_late_is_no_lease(leadership: Leadership, clock: Clock) -> None:
    leadership.renewed("7", asked=clock.now - LEASE_SECONDS)
    assert not leadership.leads


def test_lease_that_is_another_s_now_ends_at_once(leadership: Leadership, clock: Clock) -> None:
    leadership.renewed("7", asked=clock.now)
    leadership.renewed("", asked=clock.now)
    assert not leadership.leads


def test_beginning_to_lead_is_said_once(
    leadership: Leadership, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for token in ("7", "7", "", "9", "9"):
            leadership.renewed(token, asked=clock.now)
    assert caplog.text.count("Leads the cluster.") == 2


# Timers


def test_timer_runs_only_while_leading(leadership: Leadership, clock: Clock, timer: Start) -> None:
    rung: list[float] = []
    timer(lambda: rung.append(clock.now))
    turns()
    assert rung == []
    leadership.renewed("7", asked=clock.now)
    wait_for(lambda: len(rung) > 2)
    clock.now += LEASE
    turns()
    assert set(rung) == {1000.0}
    leadership.renewed("8", asked=clock.now)
    wait_for(lambda: rung[-1] == clock.now)


def test_timer_carries_the_token_it_began_with(
    leadership: Leadership, clock: Clock, timer: Start
) -> None:
    """Also when the lease has changed hands in its midst: that write must be refused."""
    tokens: list[str] = []

    def ring() -> None:
        leadership.renewed("9", asked=clock.now)
        tokens.append(leader.token())

    leadership.renewed("7", asked=clock.now)
    timer(ring)
    wait_for(lambda: len(tokens) > 1)
    assert tokens[:2] == ["7", "9"]
    assert leader.token() == ""


def test_timer_that_fails_is_logged_and_runs_again(
    leadership: Leadership,
    clock: Clock,
    timer: Start,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rung: list[int] = []

    def ring() -> None:
        rung.append(1)
        raise ZeroDivisionError("the clapper fell")

    leadership.renewed("7", asked=clock.now)
    with caplog.at_level(logging.ERROR):
        timer(ring)
        wait_for(lambda: len(rung) > 2)
    assert "the clapper fell" in caplog.text


def test_timer_never_overlaps_itself_and_one_does_not_hold_up_another(
    leadership: Leadership, clock: Clock, timer: Start
) -> None:
    within: list[int] = []
    quick: list[int] = []

    def slow() -> None:
        within.append(1)
        gevent.sleep(PATIENCE)

    leadership.renewed("7", asked=clock.now)
    timer(slow)
    timer(lambda: quick.append(1))
    wait_for(lambda: len(quick) > 5)
    assert within == [1]
