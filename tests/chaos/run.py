"""One run: the clients come in and talk, faults hit, the rest settles, the checker judges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.checker import Checker
from tests.chaos.faults.kinds import Fault
from tests.chaos.faults.table import table
from tests.chaos.keeping import kept_log, kept_records
from tests.chaos.plan import Plan
from tests.chaos.roster import roster
from tests.chaos.schedule import Blow, Round, rounds
from tests.chaos.screen import Screen
from tests.chaos.stage import PAUSE, Stage, StuckError, stage
from tests.chaos.strikes import Strike
from tests.chaos.violations import Kind
from tests.integration.waiting import SCALE

SECONDS_TO_ENTER = 60 * SCALE
SECONDS_TO_SERVE = 5 * SCALE
SECONDS_FOR_ROUND = 120 * SCALE
SECONDS_TO_SETTLE = 60 * SCALE
SWEEP_SECONDS = 3.0
RECORDS_LAG = 1.0  # how long a record is under way to the checker, at most, on a busy machine


@dataclass(slots=True)
class Run:
    plan: Plan
    stage: Stage
    checker: Checker
    screen: Screen
    stop: asyncio.Event
    long_ones: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def play(self) -> None:
        await self._until(lambda: not self.checker.away(), SECONDS_TO_ENTER, "all clients to join")
        self.stage.command("talk")
        await self._until(lambda: self.checker.says.acked > 0, SECONDS_TO_ENTER, "a first ack")
        self.screen.talking(self.checker)
        watching = asyncio.create_task(self._watch())
        try:
            await self._hit(time.monotonic() + self.plan.seconds, watching)
            await self._settle()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _until(self, condition: Callable[[], bool], seconds: float, words: str) -> None:
        """Raises StuckError in words when it does not hold in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.stage.check()
            if time.monotonic() > deadline:
                away = ", ".join(self.checker.away()[:8])
                raise StuckError(f"waited {seconds:g} s in vain for {words}; not there: {away}")
            await asyncio.sleep(PAUSE)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.stage.check()
            self.checker.sweep(time.monotonic())

    async def _hit(self, deadline: float, watching: asyncio.Task[None]) -> None:
        """Round after round until the time is over, somebody stops it, or the cluster is gone."""
        stopping = asyncio.create_task(self.stop.wait())
        for number, each in enumerate(rounds(table(self.plan), seed=self.plan.seed), start=1):
            playing = asyncio.create_task(self._round(number, each, deadline))
            await asyncio.wait((playing, watching, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                playing.cancel()
            await asyncio.gather(playing, return_exceptions=stopping.done())
            if watching.done():
                watching.result()
            if stopping.done() or time.monotonic() > deadline:
                break
        stopping.cancel()

    async def _round(self, number: int, each: Round, deadline: float) -> None:
        for blow in each.blows:
            if blow.fault.lasts:
                self._begin_long(blow, deadline)
        now = [blow for blow in each.blows if not blow.fault.lasts]
        if not now:
            return
        try:
            async with asyncio.timeout(SECONDS_FOR_ROUND):
                strikes = await asyncio.gather(*map(self._strike, now))
        except TimeoutError:
            names = " + ".join(blow.fault.name for blow in now)
            raise StuckError(f"{names} did not end in {SECONDS_FOR_ROUND:g} s") from None
        await self._serve_again(strikes)
        self.screen.round(number, strikes, self.checker)
        await asyncio.sleep(each.rest)

    def _begin_long(self, blow: Blow, deadline: float) -> None:
        """Beside the rounds to come, if there is time, and none of its kind is under way."""
        name = blow.fault.name
        if time.monotonic() + blow.fault.lasts < deadline and name not in self.long_ones:
            self.long_ones[name] = asyncio.create_task(self._long(blow))

    async def _long(self, blow: Blow) -> None:
        try:
            strike = await self._strike(blow)
        finally:
            del self.long_ones[blow.fault.name]
        await asyncio.sleep(RECORDS_LAG)
        self.checker.close(strike, served_since=None, now=time.monotonic())
        self.screen.round(0, [strike], self.checker)

    async def _strike(self, blow: Blow) -> Strike:
        await asyncio.sleep(blow.delay)
        strike = self._strike_of(blow.fault)
        self.checker.strikes.begin(strike)
        try:
            strike.detail = await blow.fault.hit(self.stage, Random(blow.seed))
        except StuckError as error:
            words = f"{strike.name}: {error}"
            self.checker.violations.add(Kind.STUCK, time.monotonic(), words)
        finally:
            strike.ended_at = time.monotonic()
        return strike

    def _strike_of(self, fault: Fault) -> Strike:
        now = time.monotonic()
        told = self.stage.clients(*fault.told) if fault.told else frozenset[int]()
        excused = self.stage.clients() if fault.lost_before is not None else told
        return Strike(
            fault.name,
            began_at=now,
            told=told,
            excused=excused,
            certain_until=fault.certain_until(now),
        )

    async def _serve_again(self, strikes: list[Strike]) -> None:
        """Wait for the first acknowledgement after a round, and judge its faults."""
        over = time.monotonic()
        for strike in strikes:
            strike.over_at = over
        self.checker.strikes.wait_for_ack(since=over)
        while self.checker.strikes.first_ack is None:
            if time.monotonic() > over + SECONDS_TO_SERVE + RECORDS_LAG:
                break
            await asyncio.sleep(PAUSE)
        await asyncio.sleep(RECORDS_LAG)
        for strike in strikes:
            self.checker.close(strike, served_since=over, now=time.monotonic())

    async def _settle(self) -> None:
        """Let everything be answered and seen; what is not then is missing."""
        long_ones = list(self.long_ones.values())
        for task in long_ones if self.stop.is_set() else []:
            task.cancel()
        await asyncio.gather(*long_ones, return_exceptions=self.stop.is_set())
        self.stage.command("quiet")
        deadline = time.monotonic() + SECONDS_TO_SETTLE
        while time.monotonic() < deadline and not self._is_settled():
            self.stage.check()
            await asyncio.sleep(PAUSE)
        self.checker.finish(time.monotonic())

    def _is_settled(self) -> bool:
        if self.checker.says.outstanding or self.checker.away():
            return False
        self.checker.sweep(time.monotonic())
        return not self.checker.unsettled()


async def run(
    plan: Plan, *, screen: Screen, stop: asyncio.Event, keep: Path | None = None
) -> Checker:
    """Play it; the checker has the verdict. A StuckError becomes a violation in words.

    `keep`: a folder for the clients' records and the cluster's log.
    """
    chosen = roster(plan)
    checker = Checker(
        chosen.members(),
        recovery_seconds=plan.recovery_seconds,
        recovery_events=plan.recovery_events,
        seconds_to_serve=SECONDS_TO_SERVE,
    )
    screen.begin(plan)
    try:
        async with AsyncExitStack() as stack:
            see = stack.enter_context(kept_records(keep, checker.see))
            built = await stack.enter_async_context(stage(plan, chosen, see))
            stack.enter_context(kept_log(keep, built.cluster))
            await Run(plan, built, checker, screen, stop).play()
    except (StuckError, AssertionError) as error:
        checker.violations.add(Kind.STUCK, time.monotonic(), str(error))
    return checker
