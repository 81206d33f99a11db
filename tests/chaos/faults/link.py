"""The link between workers and Redis: half-open, or its replies are lost."""

from __future__ import annotations

import asyncio
from random import Random

from tests.chaos.proxy import Deaf, Frozen, Slow, Weather
from tests.chaos.stage import Stage

DRIP = 30_000.0  # bytes a second; a worker is sent about 100 000


async def half_open(stage: Stage, chance: Random) -> str:
    """Nothing passes and nothing is closed; later it goes on, or the links are reset."""
    seconds = chance.uniform(4, 12)
    resumes = chance.random() < 0.5
    frozen = Frozen()
    _set(stage, frozen)
    try:
        await asyncio.sleep(seconds)
    finally:
        stage.link.clear()
        if not resumes:
            _cut(stage, frozen)
        frozen.thaw()
    return f"{seconds:.0f} s, then {'goes on' if resumes else 'reset'}"


async def one_half_open(stage: Stage, chance: Random) -> str:
    """One connection of one worker alone; new ones pass."""
    links = [link for link in stage.link.links if link.bytes > 0]
    if not links:
        return "no link"
    link, frozen = chance.choice(sorted(links, key=id)), Frozen()
    link.weather = frozen
    try:
        await asyncio.sleep(chance.uniform(4, 12))
    finally:
        link.cut()
        frozen.thaw()
    return "1 link"


async def replies_lost(stage: Stage, chance: Random) -> str:
    """What was asked is done, and nobody is told; then the links break."""
    deaf = Deaf()
    _set(stage, deaf)
    try:
        await asyncio.sleep(chance.uniform(0.05, 2))
    finally:
        stage.link.clear()
        _cut(stage, deaf)
    return ""


async def slow(stage: Stage, chance: Random) -> str:
    """Replies and messages drip at less than what comes in, then all of it at once."""
    seconds = chance.uniform(3, 8)
    _set(stage, Slow(DRIP))
    try:
        await asyncio.sleep(seconds)
    finally:
        _set(stage, Weather())
        stage.link.clear()
    return f"{seconds:.0f} s"


def _set(stage: Stage, weather: Weather) -> None:
    """For the links there are and those to come."""
    stage.link.weather = lambda: weather
    for link in stage.link.links:
        link.weather = weather


def _cut(stage: Stage, weather: Weather) -> None:
    for link in list(stage.link.links):
        if link.weather is weather:
            link.cut()
