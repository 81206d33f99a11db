"""How an error looks to a person."""

from __future__ import annotations

import sys
from typing import TextIO

from siocluster.errors import SioclusterError
from siocluster.logs import DIM, PLAIN, colourful

RED = "\033[31;1m"


def print_error(error: SioclusterError, stream: TextIO = sys.stderr) -> None:
    """`error: what is wrong`, then what to do, then the details."""
    stream.write(render_error(error, colour=colourful(stream)) + "\n")
    stream.flush()


def render_error(error: SioclusterError, *, colour: bool) -> str:
    label = f"{RED}error:{PLAIN}" if colour else "error:"
    lines = [f"{label} {error.message}"]
    if error.hint:
        lines.append(error.hint)
    if error.detail:
        detail = "\n".join(f"  {line}" for line in error.detail.splitlines())
        lines.append(f"\n{DIM}{detail}{PLAIN}" if colour else f"\n{detail}")
    return "\n".join(lines)
