"""The leader: exactly one worker of the cluster, for timers and for what one must do for all.

It holds a lease on Redis, with a token that only rises. What it emits from a timer carries the
token, and the script refuses an older one: a leader that slept cannot write after its successor.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar

import gevent
from gevent.event import Event

from siocluster.bus.scripts import LEASE_SECONDS
from siocluster.bus.values import Timer

log = logging.getLogger(__name__)
MARGIN_SECONDS = 1.0  # it stops to lead so long before Redis gives the lease to another
_token: ContextVar[str] = ContextVar("token", default="")


def token() -> str:
    """That of the timer that runs in this context; empty outside one."""
    return _token.get()


def act_under(token: str) -> None:
    """What this context emits from now on is refused once another worker leads."""
    _token.set(token)


class Leadership:
    """`clock` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.token = ""  # the last that was ours
        self._token = ""
        self._until = 0.0
        self._leads = Event()

    def renewed(self, token: str, *, asked: float) -> None:
        """Redis answered a beat that was sent at `asked`: with a token, the lease is ours."""
        if token:
            if token != self._token:
                log.info("Leads the cluster.")
            self.token = token
            self._until = asked + LEASE_SECONDS - MARGIN_SECONDS
            self._leads.set()
        else:
            self._until = 0.0
            self._leads.clear()
        self._token = token

    @property
    def leads(self) -> bool:
        return bool(self._token) and self._clock() < self._until

    def start(self, timer: Timer) -> None:
        gevent.spawn(self._run, timer)

    def _run(self, timer: Timer) -> None:
        while True:
            gevent.sleep(timer.seconds)
            self._leads.wait()
            if self.leads:
                # A greenlet of its own: its context carries the token, and it may fail.
                gevent.spawn(self._once, timer, self._token).join()

    def _once(self, timer: Timer, token: str) -> None:
        act_under(token)
        try:
            timer.function()
        except Exception:
            log.exception("A timer failed.")
