"""The command: `python -m tests.chaos --minutes 60 --seed 7`, or `make chaos MINUTES=60 SEED=7`."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from pathlib import Path

import click

from siocluster.machine import raise_descriptor_limit
from tests.chaos import report
from tests.chaos.faults.table import names
from tests.chaos.plan import Plan
from tests.chaos.run import run
from tests.chaos.screen import Screen

INTERRUPTED = 130


@click.command(context_settings={"max_content_width": 100, "show_default": True})
@click.option("--minutes", default=2.0, help="How long faults hit.")
@click.option("--seed", type=int, help="Chooses the faults; by default another one each time.")
@click.option("--workers", default=3, type=click.IntRange(2, 4))
@click.option("--clients", default=100, type=click.IntRange(10))
@click.option("--rooms", default=20, type=click.IntRange(4, 50))
@click.option("--rate", default=200.0, help="Says a second, of all clients.")
@click.option("--fsync", default="always", type=click.Choice(["always", "everysec"]))
@click.option("--recovery-seconds", default=60.0, help="T.")
@click.option("--fault", "kinds", multiple=True, type=click.Choice(names()), help="Only this one.")
@click.option("--target", default="", help="Another app of tests/chaos/apps.")
@click.option("--keep", type=click.Path(path_type=Path), help="Records and logs go there.")
def main(seed: int | None, keep: Path | None, **chosen: object) -> None:
    """Hit a real cluster with faults while stock clients talk, and check what each has seen.

    Exit code 1: a promise was broken. Ctrl-C ends it early; the table comes even so.
    """
    raise_descriptor_limit()
    seed = random.randrange(10_000) if seed is None else seed
    plan = Plan(seed=seed, **chosen)  # type: ignore[arg-type]
    sys.exit(asyncio.run(_play(plan, keep)))


async def _play(plan: Plan, keep: Path | None) -> int:
    screen, stop = Screen(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    checker = await run(plan, screen=screen, stop=stop, keep=keep)
    report.show(screen, plan, checker, interrupted=stop.is_set())
    if checker.violations:
        return 1
    return INTERRUPTED if stop.is_set() else 0


if __name__ == "__main__":
    main()
