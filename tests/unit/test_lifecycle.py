"""The table of states holds, pair by pair; what is not in it raises."""

from __future__ import annotations

from itertools import product

import pytest

from siocluster.master.lifecycle import (
    ALIVE,
    TRANSITIONS,
    Event,
    IllegalTransition,
    State,
    follow,
)

PAIRS = list(product(State, Event))


@pytest.mark.parametrize(
    ("state", "event"), PAIRS, ids=lambda value: value.name.lower() if value else ""
)
def test_a_pair_is_in_the_table_or_raises(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert follow(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(
            IllegalTransition, match=f"{event.value} cannot happen .* {state.value}"
        ):
            follow(state, event)


def test_an_exit_can_happen_to_whoever_lives_and_to_nobody_else() -> None:
    can_exit = {state for state, event in TRANSITIONS if event is Event.EXIT}
    assert can_exit == ALIVE


def test_a_stop_can_come_at_any_time() -> None:
    assert {state for state, event in TRANSITIONS if event is Event.STOP} == set(State)


def test_no_slot_that_lives_is_spawned_again() -> None:
    for state in ALIVE:
        assert (state, Event.SPAWN) not in TRANSITIONS


def test_only_a_booting_worker_becomes_ready() -> None:
    came_from = {
        state
        for (state, event), after in TRANSITIONS.items()
        if after is State.READY and event is Event.READY
    }
    assert came_from == {State.BOOTING}
    assert State.READY not in {
        after for (_, event), after in TRANSITIONS.items() if event is not Event.READY
    }


def test_a_worker_that_was_told_to_stop_has_no_successor() -> None:
    assert TRANSITIONS[State.DRAINING, Event.EXIT] is State.SPARE
    for state in ALIVE - {State.DRAINING}:
        assert TRANSITIONS[state, Event.EXIT] is State.BACKOFF


def test_every_state_can_be_reached_and_left() -> None:
    reached, ahead = {State.SPARE}, [State.SPARE]
    while ahead:
        here = ahead.pop()
        after = {to for (state, _), to in TRANSITIONS.items() if state is here} - reached
        reached |= after
        ahead += after
    assert reached == set(State)
    for state in State:
        assert {to for (at, _), to in TRANSITIONS.items() if at is state} - {state}
