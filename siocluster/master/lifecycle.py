"""The table of a slot's states: what may follow what.

A slot outlives its workers. The picture in docs/signals.md is drawn from this table.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a slot is."""

    SPARE = "spare"  # no worker wanted
    BACKOFF = "backoff"  # no worker, one is due
    SPAWNED = "spawned"  # process started
    BOOTING = "booting"  # it has said hello and loads the app
    READY = "ready"  # it has said that it serves
    DRAINING = "draining"  # told to stop
    CONDEMNED = "condemned"  # hangs: aborted, then killed


class Event(Enum):
    """What happens to a slot."""

    SPAWN = "spawn"
    HELLO = "hello"
    READY = "ready"
    STOP = "stop"
    CONDEMN = "condemn"
    EXIT = "exit"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.SPARE, Event.SPAWN): State.SPAWNED,
    (State.SPARE, Event.STOP): State.SPARE,
    (State.BACKOFF, Event.SPAWN): State.SPAWNED,
    (State.BACKOFF, Event.STOP): State.SPARE,
    (State.SPAWNED, Event.HELLO): State.BOOTING,
    (State.SPAWNED, Event.STOP): State.DRAINING,
    (State.SPAWNED, Event.CONDEMN): State.CONDEMNED,
    (State.SPAWNED, Event.EXIT): State.BACKOFF,
    (State.BOOTING, Event.READY): State.READY,
    (State.BOOTING, Event.STOP): State.DRAINING,
    (State.BOOTING, Event.CONDEMN): State.CONDEMNED,
    (State.BOOTING, Event.EXIT): State.BACKOFF,
    (State.READY, Event.STOP): State.DRAINING,
    (State.READY, Event.CONDEMN): State.CONDEMNED,
    (State.READY, Event.EXIT): State.BACKOFF,
    (State.DRAINING, Event.HELLO): State.DRAINING,  # was on its way when the stop came
    (State.DRAINING, Event.READY): State.DRAINING,
    (State.DRAINING, Event.STOP): State.DRAINING,
    (State.DRAINING, Event.CONDEMN): State.DRAINING,  # the graceful timeout ends it anyway
    (State.DRAINING, Event.EXIT): State.SPARE,
    (State.CONDEMNED, Event.HELLO): State.CONDEMNED,  # woke up too late
    (State.CONDEMNED, Event.READY): State.CONDEMNED,
    (State.CONDEMNED, Event.STOP): State.CONDEMNED,
    (State.CONDEMNED, Event.EXIT): State.BACKOFF,
}

ALIVE = frozenset({State.SPAWNED, State.BOOTING, State.READY, State.DRAINING, State.CONDEMNED})


class IllegalTransition(Exception):
    """A fault in the master: the event cannot happen in this state. Nothing was changed."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event.value} cannot happen to a slot that is {state.value}")


def follow(state: State, event: Event) -> State:
    """The state after `event`; raises IllegalTransition."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None
