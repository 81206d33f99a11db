"""The command: `python -m bench`, or `make bench ARGS="--rounds 7"`; `bus` is its other half."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from bench import output
from bench.bus.command import bus
from bench.output import tell
from bench.quantities import PROBES, Plan, suite
from bench.rounds import measure
from bench.servers import SERVERS, Server

NAMES = [server.name for server in SERVERS]


@click.group(invoke_without_command=True, context_settings={"max_content_width": 100})
@click.pass_context
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="How often.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="This server; repeatable.")
@click.option("--probe", multiple=True, type=click.Choice([*PROBES]), help="This one; repeatable.")
@click.option("--idle", default=Plan().idle, show_default=True, help="Idle connections.")
@click.option("--seconds", default=Plan().seconds, show_default=True, help="Length of a talk.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write it all here.")
def main(
    context: click.Context,
    rounds: int,
    only: tuple[str, ...],
    probe: tuple[str, ...],
    idle: int,
    seconds: float,
    json_file: Path | None,
) -> None:
    """Measure siocluster beside its peers, in one run, in alternating rounds.

    Ratios are to the first server. Exit code 1: a row is void.
    """
    output.prepare()
    if context.invoked_subcommand:
        return
    servers = present(only)
    plan = Plan(idle=idle, seconds=seconds)
    peers = suite(servers, plan)
    numbers = range(1, rounds + 1)
    samples = list(measure(peers, rounds=numbers, probes=probe or [*PROBES], tell=tell))
    output.finish([peers], samples, plan=plan, json_file=json_file)


def present(only: Sequence[str]) -> list[Server]:
    """The servers that can run here; the others are named with the reason."""
    found = []
    for server in SERVERS:
        if only and server.name not in only:
            continue
        if reason := server.absent():
            tell(f"without {server.name}: {reason}")
        else:
            found.append(server)
    if not found:
        raise click.ClickException("None of these servers can run here.")
    return found


main.add_command(bus)

if __name__ == "__main__":
    main()
