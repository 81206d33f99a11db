"""What the command says: progress on stderr, the table on stdout, all readings as JSON."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from bench import report
from bench.servers import Server
from bench.suite import Quantity, Suite
from bench.summary import Row, Sample, rows
from bench.table import in_black, in_colour, render
from siocluster.machine import raise_descriptor_limit

Tables = Mapping[Quantity, Sequence[Row]]


def prepare() -> None:
    """SIGTERM cleans up, as Ctrl-C does; there are as many clients as the kernel allows."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    raise_descriptor_limit()


def finish(
    suites: Sequence[Suite], samples: Sequence[Sample], *, plan: Any, json_file: Path | None
) -> NoReturn:
    """Show it all and leave; exit code 1: a row is void."""
    tables = {
        quantity: found for suite in suites for quantity, found in _tables(suite, samples).items()
    }
    _show(tables, [server for suite in suites for server in suite.servers])
    if json_file:
        report.write(json_file, plan=plan, tables=tables, samples=samples)
    sys.exit(any(row.note.startswith("void") for rows in tables.values() for row in rows))


def tell(line: str) -> None:
    """Progress goes to stderr, so that stdout is the table alone."""
    print(line, file=sys.stderr, flush=True)


def _tables(suite: Suite, samples: Sequence[Sample]) -> Tables:
    names = [server.name for server in suite.servers]
    return {
        quantity: rows(samples, quantity=quantity.key, servers=names)
        for quantity in suite.quantities
    }


def _show(tables: Tables, servers: Sequence[Server]) -> None:
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for name, words in {server.name: server.words for server in servers}.items():
        print(f"{name:<12} {words}")
    paint = in_colour if colour else in_black
    print(f"\n{render(tables, baseline=servers[0].name, paint=paint)}")
