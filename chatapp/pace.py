"""How fast one connection may ask. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .rules import Refused

KEY = "chatapp.pace"  # in the environ of a connection, which lives and ends with it
SAYS = {"burst": 20, "a_second": 10}
# Who comes back joins every room at once: 50, and a little more.
REQUESTS = {"burst": 60, "a_second": 10}


class TooFast(Refused):
    """`retry_after`: seconds. `is_first`: the one before was not too fast."""

    def __init__(self, *, retry_after: float, is_first: bool) -> None:
        super().__init__("too_fast", "That was a little fast. Wait a moment and send it again.")
        self.retry_after = retry_after
        self.is_first = is_first


class Bucket:
    """Tokens that come back steadily; each request takes one."""

    def __init__(
        self, *, burst: float, a_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = self._tokens = float(burst)
        self._a_second = a_second
        self._clock = clock
        self._seen = clock()
        self._is_dry = False

    def take(self) -> None:
        """Raises TooFast, and takes nothing, when there is no whole token."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * self._a_second)
        self._seen = now
        was_dry, self._is_dry = self._is_dry, self._tokens < 1
        if self._is_dry:
            wait = (1 - self._tokens) / self._a_second
            raise TooFast(retry_after=round(wait + 0.005, 2), is_first=not was_dry)
        self._tokens -= 1


@dataclass(frozen=True, slots=True)
class Pace:
    """What one connection has left, for what it says and for all else."""

    says: Bucket = field(default_factory=lambda: Bucket(**SAYS))
    requests: Bucket = field(default_factory=lambda: Bucket(**REQUESTS))

    def keep(self, event: str) -> None:
        (self.says if event == "say" else self.requests).take()


def pace_of(environ: dict[str, Any]) -> Pace:
    """Of the connection whose environ this is, the same one each time."""
    if KEY not in environ:
        environ[KEY] = Pace()
    pace: Pace = environ[KEY]
    return pace
