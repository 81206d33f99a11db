"""Which servers will do: one table for the program that the master starts and for any other."""

from __future__ import annotations

import re

OLDEST = {"Redis": (7, 0), "Valkey": (7, 2)}


def is_too_old(title: str) -> bool:
    """Whether "Redis 6.2.1" or "Valkey 9.1.2" is older than what we need."""
    name, _, version = title.partition(" ")
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    return numbers < OLDEST[name]
