"""The command `python -m bench bus`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from bench import output
from bench.bus.quantities import PROBES, QUICK, Plan, suites
from bench.bus.servers import absent
from bench.output import tell
from bench.rounds import measure
from bench.summary import Sample


@click.command(context_settings={"max_content_width": 100})
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="How often.")
@click.option("--workers", multiple=True, type=click.IntRange(1), help="So many; repeatable.")
@click.option("--probe", multiple=True, type=click.Choice(PROBES), help="This one; repeatable.")
@click.option("--seconds", type=float, help="Length of a talk.")
@click.option("--quick", is_flag=True, help="One short round of little, to see that all works.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write it all here.")
def bus(
    rounds: int,
    workers: tuple[int, ...],
    probe: tuple[str, ...],
    seconds: float | None,
    quick: bool,
    json_file: Path | None,
) -> None:
    """Measure the room bus beside python-socketio's Redis manager, in one run, in turn.

    Ratios are to the stock cluster. Exit code 1: a row is void.
    """
    if reason := absent():
        raise click.ClickException(f"This compares clusters over Redis: {reason}.")
    plan = QUICK if quick else Plan()
    plan = replace(plan, sizes=workers or plan.sizes, seconds=seconds or plan.seconds)
    chosen = suites(plan, probe or PROBES)
    samples = list[Sample]()
    for number in range(1, 2 if quick else rounds + 1):
        for suite in chosen:
            samples += measure(suite, rounds=[number], probes=[*suite.probes], tell=tell)
    output.finish(chosen, samples, plan=plan, json_file=json_file)
