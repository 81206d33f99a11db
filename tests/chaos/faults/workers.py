"""A worker dies, leaves, or stops for a while."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from tests.chaos.stage import Stage
from tests.integration.cluster import kill

LONG_STOP = 20.0  # longer than a worker's lease: it wakes up superseded
SHORT_STOP = 3.0


async def killed(stage: Stage, chance: Random) -> str:
    return await _ended(stage, chance, signal.SIGKILL)


async def drained(stage: Stage, chance: Random) -> str:
    return await _ended(stage, chance, signal.SIGTERM)


async def _ended(stage: Stage, chance: Random, number: signal.Signals) -> str:
    with stage.claimed_slot(chance) as slot:
        pid = await stage.worker_pid(slot)
        kill(pid, number)
        await stage.until_gone(pid)
        await stage.until_ready(slot)
        return f"worker {slot}"


async def stopped_shortly(stage: Stage, chance: Random) -> str:
    return await _stopped(stage, chance, SHORT_STOP)


async def stopped_for_long(stage: Stage, chance: Random) -> str:
    return await _stopped(stage, chance, LONG_STOP)


async def _stopped(stage: Stage, chance: Random, seconds: float) -> str:
    with stage.claimed_slot(chance) as slot:
        pid = await stage.worker_pid(slot)
        kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            kill(pid, signal.SIGCONT)
        await stage.until_ready(slot)
        return f"worker {slot}"
