"""What lies between a client and its worker: nginx, the network, sleep; and haste."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from tests.chaos.plan import Plan
from tests.chaos.proxy import CutAfter
from tests.chaos.stage import Stage
from tests.integration.cluster import kill

LONGEST_PING = 45.0  # Engine.IO's interval and timeout: so long an absence may go unnoticed
SECONDS_DOUBLED = 3.0


async def nginx_killed(stage: Stage, _chance: Random) -> str:
    pid = await stage.nginx_pid()
    kill(pid, signal.SIGKILL)
    await stage.until_gone(pid)
    await stage.until_ready()
    return ""


async def transport_cut(stage: Stage, chance: Random) -> str:
    """Each link at the door ends at a byte of its own."""
    links = list(stage.door.links)
    for link in links:
        link.weather = CutAfter(chance.randint(1, 3000))
    await asyncio.sleep(2)
    return f"{len(links)} clients"


async def replay_cut(stage: Stage, chance: Random) -> str:
    """Away for some seconds, and cut again, up to five times, while the replay comes in."""
    stage.door.refuses = True
    stage.door.cut_all()
    try:
        await asyncio.sleep(chance.uniform(3, 6))
        stage.door.refuses = False
        stage.door.weather = lambda: CutAfter(chance.randint(600, 12_000))
        await asyncio.sleep(chance.uniform(4, 7))
    finally:
        stage.door.clear()
    for link in stage.door.links:
        link.weather = CutAfter(chance.randint(1, 3000))
    return ""


def seconds_asleep(plan: Plan) -> float:
    """Longer than T from the latest moment at which the server can notice."""
    return LONGEST_PING + plan.recovery_seconds + 10


async def asleep(stage: Stage, _chance: Random) -> str:
    seconds = seconds_asleep(stage.plan)
    stage.sleepers.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        stage.sleepers.signal(signal.SIGCONT)
    return f"{seconds:.0f} s"


async def said_twice(stage: Stage, _chance: Random) -> str:
    """Each say goes out two times at once, under the same id."""
    stage.command("double", on=True)
    try:
        await asyncio.sleep(SECONDS_DOUBLED)
    finally:
        stage.command("double", on=False)
    return ""
