"""Where an event stands in the one order of the cluster: `4711-k3f9ab2c`."""

from __future__ import annotations

import re
from dataclasses import dataclass

# 18 digits fit a signed 64-bit integer, and a Lua script may still count them as text.
PATTERN = re.compile(r"([0-9]{1,18})-([a-z0-9]{8})")
LONGEST_SHOWN = 40


class InvalidPosition(ValueError):
    """What was given as a position is none: a mistake of who sent it, mostly a client."""


@dataclass(frozen=True, slots=True)
class Position:
    """The number of an event and the epoch it belongs to.

    Numbers rise over all rooms of a cluster. They compare within one epoch only: it changes when
    the numbers may have started again, as after Redis lost data.
    """

    number: int
    epoch: str

    @classmethod
    def parse(cls, text: object) -> Position:
        """The position that `text` spells; raises InvalidPosition for anything else."""
        found = PATTERN.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise InvalidPosition(f'{_shown(text)} is no position; one looks like "4711-k3f9ab2c".')
        return cls(number=int(found[1]), epoch=found[2])

    def __str__(self) -> str:
        return f"{self.number}-{self.epoch}"


def _shown(value: object) -> str:
    """A client may have sent a megabyte; its start will do."""
    if not isinstance(value, str):
        return f"A value of type {type(value).__name__}"
    if len(value) <= LONGEST_SHOWN:
        return repr(value)
    return f"{value[:LONGEST_SHOWN]!r}… ({len(value)} characters)"
