"""Redis dies, freezes, cuts its subscribers off, or is emptied."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from tests.chaos.crowd import LOUD, NORMAL
from tests.chaos.stage import PAUSE, SECONDS_TO_RETURN, Stage, until

LONG_AWAY = 10.0
FREEZE = 10.0
SHOUT_SECONDS = 6.0
LIMIT = "client-output-buffer-limit"
# Redis counts only what does not fit the 16 KB that each client has anyway: any list is too long.
TINY = "pubsub 1 0 0"


async def killed(stage: Stage, chance: Random) -> str:
    """SIGKILL, and back on its file; with `everysec` the file lacks what was not synced."""
    seconds = LONG_AWAY if chance.random() < 0.2 else chance.uniform(0.5, 2)
    lost = 0
    if stage.plan.fsync == "always":
        await stage.redis.kill()
    else:
        lost = await stage.redis.power_cut(chance)
    try:
        await asyncio.sleep(seconds)
    finally:
        await stage.redis.start()
    return f"away {seconds:.1f} s" + f", {lost} bytes lost" * bool(lost)


async def frozen(stage: Stage, _chance: Random) -> str:
    stage.redis.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(FREEZE)
    finally:
        stage.redis.signal(signal.SIGCONT)
    return f"{FREEZE:g} s"


async def subscribers_killed(stage: Stage, _chance: Random) -> str:
    async with asyncio.timeout(SECONDS_TO_RETURN):
        while not (count := await stage.redis.command("CLIENT", "KILL", "TYPE", "pubsub")):
            await asyncio.sleep(PAUSE)  # none at the moment: another fault has cut them off
    return f"{count} of them"


async def subscriber_overrun(stage: Stage, _chance: Random) -> str:
    """Large texts, and an output limit that they break: Redis cuts the workers off."""
    before = set(stage.link.links)
    usual = await stage.redis.command("CONFIG", "GET", LIMIT)
    stage.command("shout", size=LOUD)
    await stage.redis.command("CONFIG", "SET", LIMIT, TINY)
    try:
        await until(lambda: before - stage.link.links or None, "Redis to cut a subscriber off")
    finally:
        stage.command("shout", size=NORMAL)
        await stage.redis.command("CONFIG", "SET", LIMIT, _value(usual))
    return f"{len(before - stage.link.links)} links"


def _value(answer: object) -> str:
    """Of a CONFIG GET: a dict or a flat list, by the client's version."""
    found = list(answer.values()) if isinstance(answer, dict) else list(answer)[1:]  # type: ignore[call-overload]
    value = found[0]
    return value.decode() if isinstance(value, bytes) else str(value)


async def emptied(stage: Stage, _chance: Random) -> str:
    await stage.redis.command("FLUSHALL")
    return ""
