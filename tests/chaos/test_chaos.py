"""A short run with every kind of fault breaks no promise; `make chaos` is the long one."""

from __future__ import annotations

import asyncio
from io import StringIO

import pytest

from tests.chaos import report
from tests.chaos.own_loop import in_a_loop_of_its_own
from tests.chaos.plan import Plan
from tests.chaos.run import run
from tests.chaos.screen import Screen
from tests.integration.waiting import SCALE

SECONDS_AROUND = 240  # start, what goes on for long, settling, stop


def played(plan: Plan) -> str:
    """What the run printed; an AssertionError with it when a promise was broken."""
    said = StringIO()
    screen = Screen(said)

    async def whole() -> bool:
        checker = await run(plan, screen=screen, stop=asyncio.Event())
        report.show(screen, plan, checker, interrupted=False)
        return not checker.violations

    held = in_a_loop_of_its_own(whole())
    assert held, said.getvalue()
    return said.getvalue()


@pytest.mark.timeout((120 + SECONDS_AROUND) * SCALE)
def test_two_minutes_of_faults_break_no_promise() -> None:
    assert "every promise held" in played(Plan(minutes=2, seed=1, recovery_seconds=30))


@pytest.mark.timeout((30 + SECONDS_AROUND) * SCALE)
def test_redis_that_syncs_every_second_loses_little_and_all_are_told() -> None:
    plan = Plan(minutes=0.5, seed=1, fsync="everysec", kinds=("redis_kill",))
    assert "every promise held" in played(plan)
