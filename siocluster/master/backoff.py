"""How long a slot waits before its next worker."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

STABLE_SECONDS = 10.0


@dataclass(slots=True)
class Backoff:
    """Doubles from `first` to `longest` seconds with each short run; forgets after a stable one.

    The jitter of up to a quarter keeps slots that died of one cause from coming back as one
    herd. `chance` gives numbers from 0 to 1.
    """

    first: float
    longest: float
    stable: float = STABLE_SECONDS
    chance: Callable[[], float] = random.random
    short_runs: int = 0

    def after_run(self, seconds_ready: float | None) -> float:
        """Seconds to wait after a run that was ready for so long; None if it never was."""
        if seconds_ready is not None and seconds_ready >= self.stable:
            self.short_runs = 0
            return 0.0
        wait = min(self.longest, math.ldexp(self.first, min(self.short_runs, 32)))
        self.short_runs += 1
        return wait * (1 + self.chance() / 4)
