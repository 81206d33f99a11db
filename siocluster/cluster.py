"""What an app may ask of the cluster: to do something on one worker only.

    from siocluster import cluster

    @cluster.every(60)
    def tidy():
        ...

Under a plain `socketio.run()`, without the runner, the one process is the leader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from siocluster.bus import backend, checks
from siocluster.bus.values import Timer

__all__ = ["every", "is_leader"]
Timed = TypeVar("Timed", bound=Callable[[], object])


def is_leader() -> bool:
    """Whether this worker is the one that runs the timers now.

    Another may take over when this one is cut off; there are never two at a time for longer than a
    lease. What a timer of the older one still emits or stores after that is refused
    (NotStoredError); a handler that asks this and then stores is not.
    """
    return backend.current().is_leader()


def every(seconds: float) -> Callable[[Timed], Timed]:
    """Have a function called every so many seconds, on exactly one worker of the cluster.

    It runs in a greenlet of its own, without a request; the first time after `seconds`, and the
    next `seconds` after the end of the one before, so that it never overlaps itself. What it raises
    is logged, and it is called again. Without the runner it begins with `socketio.run()`, under
    another server with the first request or event. What it emits is refused once another worker
    has taken over; what it starts beside itself may not be.

    Raises TypeError or ValueError for anything but a positive number.
    """
    if callable(seconds):
        raise TypeError("every wants its seconds: @every(60), not @every.")
    pause = checks.seconds(seconds)

    def register(function: Timed) -> Timed:
        backend.register_timer(Timer(checks.function(function, name="every"), pause))
        return function

    return register
