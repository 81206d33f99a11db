"""The command: `python -m bench`, or `make bench ARGS="--rounds 7"`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from bench import report
from bench.quantities import PROBES, QUANTITIES, Plan, Quantity
from bench.rounds import measure
from bench.servers import SERVERS, Server
from bench.summary import Row, Sample, rows
from bench.table import in_black, in_colour, render
from siocluster.machine import raise_descriptor_limit

NAMES = [server.name for server in SERVERS]
Tables = Mapping[Quantity, Sequence[Row]]


@click.command(context_settings={"max_content_width": 100})
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="How often.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="This server; repeatable.")
@click.option("--probe", multiple=True, type=click.Choice([*PROBES]), help="This one; repeatable.")
@click.option("--idle", default=Plan().idle, show_default=True, help="Idle connections.")
@click.option("--seconds", default=Plan().seconds, show_default=True, help="Length of a talk.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write it all here.")
def main(
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up, as Ctrl-C
    raise_descriptor_limit()
    servers = present(only)
    plan = Plan(idle=idle, seconds=seconds)
    samples = list(measure(servers, rounds=rounds, probes=probe or [*PROBES], plan=plan, tell=tell))
    tables = tables_of(samples, servers)
    show(tables, servers)
    if json_file:
        report.write(json_file, plan=plan, tables=tables, samples=samples)
    sys.exit(any(row.note.startswith("void") for rows in tables.values() for row in rows))


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


def tables_of(samples: Sequence[Sample], servers: Sequence[Server]) -> Tables:
    names = [server.name for server in servers]
    return {
        quantity: rows(samples, quantity=quantity.key, servers=names) for quantity in QUANTITIES
    }


def show(tables: Tables, servers: Sequence[Server]) -> None:
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for server in servers:
        print(f"{server.name:<12} {server.words}")
    paint = in_colour if colour else in_black
    print(f"\n{render(tables, baseline=servers[0].name, paint=paint)}")


def tell(line: str) -> None:
    """Progress goes to stderr, so that stdout is the table alone."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
