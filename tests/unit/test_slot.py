"""One slot's life: what the worker says, when it is given up, and when people may wait for it."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from siocluster.listeners import answers, listen
from siocluster.master.lifecycle import IllegalTransition, State
from siocluster.master.run import AFTER_ABORT, AFTER_DUMP, DUMP_SIGNAL, Run
from siocluster.master.slot import PATIENCE, Slot
from siocluster.wire import Beat, Failed, Hello, Ready
from tests.unit.fakes import FakeProcess


def spawn(slot: Slot, *, now: float = 100.0) -> FakeProcess:
    process = FakeProcess()
    slot.spawned(process, now=now)  # type: ignore[arg-type]
    return process


def hear(slot: Slot, process: FakeProcess, *said: object, now: float = 101.0) -> None:
    process.says(*said)  # type: ignore[arg-type]
    slot.receive(now=now)


def run_of(slot: Slot) -> Run:
    assert slot.run is not None
    return slot.run


def serve(slot: Slot, *, spawned_at: float = 100.0, ready_at: float = 102.0) -> FakeProcess:
    process = spawn(slot, now=spawned_at)
    hear(slot, process, Hello(pid=1), Ready(secret_digest="d"), now=ready_at)
    assert slot.ready
    return process


def die(slot: Slot, process: FakeProcess, *, now: float) -> float:
    process.code = 1
    return slot.exited(now=now)


# From spawn to ready


def test_a_worker_counts_only_once_it_has_said_ready(slot: Slot) -> None:
    process = spawn(slot)
    assert (slot.state, slot.ready, slot.alive) == (State.SPAWNED, False, True)
    hear(slot, process, Hello(pid=1))
    assert (slot.state, slot.ready) == (State.BOOTING, False)
    hear(slot, process, Ready(), now=103)
    assert (slot.state, slot.ready, slot.boot_seconds) == (State.READY, True, 3)


def test_a_slot_listens_from_ready_on(slot: Slot) -> None:
    process = spawn(slot)
    assert not answers(slot.listener.address)
    hear(slot, process, Hello(pid=1), Ready())
    assert answers(slot.listener.address)


def test_a_living_slot_is_not_spawned_again(slot: Slot) -> None:
    process = serve(slot)
    with pytest.raises(IllegalTransition):
        spawn(slot)
    assert slot.process is process


def test_every_message_is_a_sign_of_life(slot: Slot) -> None:
    process = serve(slot)
    hear(slot, process, Beat(), now=150)
    assert run_of(slot).heard_at == 150


def test_a_failure_is_kept_until_the_next_spawn(slot: Slot) -> None:
    process = spawn(slot)
    hear(slot, process, Failed(message="no app", exit_code=3))
    die(slot, process, now=102)
    failed = run_of(slot).failed
    assert failed is not None and failed.message == "no app"
    spawn(slot, now=103)
    assert run_of(slot).failed is None


# Clients


@pytest.mark.parametrize(
    ("beats", "clients"),
    [
        ([(5, 2)], 3),
        ([(5, 2), (9, 2)], 7),
        ([(5, 2), (3, 1)], 3),
        ([(2, 7)], 0),
        ([(-3, -1)], 0),
    ],
    ids=["once", "again", "late", "more-left-than-came", "negative"],
)
def test_clients_are_counted_and_never_negative(
    slot: Slot, beats: list[tuple[int, int]], clients: int
) -> None:
    process = serve(slot)
    for connects, disconnects in beats:
        hear(slot, process, Beat(connects=connects, disconnects=disconnects))
    assert slot.clients == clients


def test_a_dead_worker_has_no_clients_and_its_successor_counts_anew(slot: Slot) -> None:
    process = serve(slot)
    hear(slot, process, Beat(connects=9))
    die(slot, process, now=200)
    assert slot.clients == 0
    process = serve(slot, spawned_at=200, ready_at=201)
    hear(slot, process, Beat(connects=1))
    assert slot.clients == 1


# Nonsense


@pytest.mark.parametrize(
    "said",
    [[b"nonsense\n"], [Ready()], [Hello(pid=1), Hello(pid=1)], [Hello(pid=1), Ready(), Ready()]],
    ids=["no-message", "ready-before-hello", "hello-twice", "ready-twice"],
)
def test_a_worker_that_talks_nonsense_is_condemned(slot: Slot, said: list[object]) -> None:
    process = spawn(slot)
    hear(slot, process, *said)
    assert slot.state is State.CONDEMNED
    failed = run_of(slot).failed
    assert failed is not None and failed.message
    assert process.signals == [DUMP_SIGNAL]


def test_nonsense_again_does_not_disturb_the_master(slot: Slot) -> None:
    process = spawn(slot)
    hear(slot, process, b"nonsense\n", now=101)
    hear(slot, process, b"more of it\n", now=101.5)
    assert process.signals == [DUMP_SIGNAL]
    run_of(slot).strike(now=101 + AFTER_DUMP)
    assert process.signals == [DUMP_SIGNAL, signal.SIGABRT]


def test_nonsense_from_a_draining_worker_leaves_it_the_graceful_timeout(slot: Slot) -> None:
    process = serve(slot)
    slot.stop(now=110, seconds=30)
    hear(slot, process, b"nonsense\n", now=111)
    run_of(slot).strike(now=120)
    assert (slot.state, process.signals) == (State.DRAINING, [signal.SIGTERM])


# The end of one that hangs


def test_a_condemned_worker_is_dumped_aborted_and_killed(slot: Slot) -> None:
    process = serve(slot)
    slot.condemn(now=120)
    assert process.signals == [DUMP_SIGNAL]
    run_of(slot).strike(now=120 + AFTER_DUMP - 0.01)
    assert process.signals == [DUMP_SIGNAL]
    run_of(slot).strike(now=120 + AFTER_DUMP)
    assert process.signals == [DUMP_SIGNAL, signal.SIGABRT]
    run_of(slot).strike(now=120 + AFTER_DUMP + AFTER_ABORT)
    run_of(slot).strike(now=500)
    assert process.signals == [DUMP_SIGNAL, signal.SIGABRT, signal.SIGKILL]


def test_a_condemned_worker_stays_condemned_when_it_wakes_up(slot: Slot) -> None:
    process = spawn(slot)
    slot.condemn(now=120)
    hear(slot, process, Hello(pid=1), Ready(), now=121)
    assert slot.state is State.CONDEMNED


def test_the_blows_end_with_the_worker(slot: Slot) -> None:
    process = serve(slot)
    slot.condemn(now=120)
    die(slot, process, now=121)
    assert slot.living is None
    successor = serve(slot, spawned_at=122, ready_at=123)
    run_of(slot).strike(now=500)
    assert successor.signals == []


# Exit and restart


def test_after_a_stable_run_the_next_worker_is_due_at_once(slot: Slot) -> None:
    process = serve(slot, ready_at=102)
    assert die(slot, process, now=112) == 0
    assert (slot.state, slot.due_at, slot.restarts) == (State.BACKOFF, 112, 1)


def test_short_runs_wait_longer_each_time(slot: Slot) -> None:
    waits = []
    for start in (100, 200, 300):
        process = serve(slot, spawned_at=start, ready_at=start + 1)
        waits.append(die(slot, process, now=start + 2))
    assert waits == [1, 2, 4]
    assert slot.due_at == 306


def test_a_run_that_was_never_ready_counts_as_short_however_long_it_took(slot: Slot) -> None:
    process = spawn(slot, now=100)
    hear(slot, process, Hello(pid=1))
    assert die(slot, process, now=160) == 1


def test_a_dead_worker_s_pipe_is_closed_and_its_exit_told(slot: Slot) -> None:
    process = serve(slot)
    die(slot, process, now=110)
    assert (process.closed, slot.process, run_of(slot).ended) == (True, None, "exit code 1")


# Stop


def test_a_stopped_worker_is_asked_first_and_has_no_successor(slot: Slot) -> None:
    process = serve(slot)
    slot.stop(now=110, seconds=30)
    assert (slot.state, process.signals) == (State.DRAINING, [signal.SIGTERM])
    assert run_of(slot).stop_at == 140
    assert die(slot, process, now=111) == 0
    assert (slot.state, slot.restarts, slot.living) == (State.SPARE, 0, None)
    assert not answers(slot.listener.address)


def test_stopping_a_slot_that_waits_forgets_the_worker_that_was_due(slot: Slot) -> None:
    die(slot, serve(slot), now=103)
    slot.stop(now=104, seconds=30)
    assert slot.state is State.SPARE
    assert not answers(slot.listener.address)


def test_ready_on_the_way_when_the_stop_came_changes_nothing(slot: Slot) -> None:
    process = spawn(slot)
    slot.stop(now=101, seconds=30)
    hear(slot, process, Hello(pid=1), Ready())
    assert slot.state is State.DRAINING


# Who may wait in the backlog


def test_a_quick_restart_refuses_nobody(slot: Slot) -> None:
    die(slot, serve(slot, ready_at=102), now=112)
    assert answers(slot.listener.address)
    spawn(slot, now=112)
    slot.lose_patience(now=113)
    assert answers(slot.listener.address)


def test_a_long_backoff_refuses_at_once(slot: Slot) -> None:
    for start in (100, 200):
        wait = die(slot, serve(slot, spawned_at=start, ready_at=start + 1), now=start + 2)
        assert answers(slot.listener.address) is (wait <= PATIENCE)


def test_a_slot_whose_worker_never_was_ready_refuses(slot: Slot) -> None:
    die(slot, serve(slot, ready_at=102), now=112)
    die(slot, spawn(slot, now=112), now=113)
    assert not answers(slot.listener.address)


def test_nobody_waits_in_the_backlog_for_a_slow_boot(slot: Slot) -> None:
    die(slot, serve(slot, ready_at=102), now=112)
    process = spawn(slot, now=112)
    slot.lose_patience(now=slot.patience_ends_at)
    assert not answers(slot.listener.address)
    hear(slot, process, Hello(pid=1), Ready(), now=120)
    assert answers(slot.listener.address)


@pytest.mark.parametrize("boot_seconds", [0.1, 30.0])
def test_patience_counts_from_the_last_workers_end_however_long_it_booted(
    slot: Slot, boot_seconds: float
) -> None:
    process = serve(slot, spawned_at=100, ready_at=100 + boot_seconds)
    die(slot, process, now=200)
    spawn(slot, now=201)
    assert slot.patience_ends_at == pytest.approx(200 + PATIENCE)


def test_nobody_waits_for_a_worker_that_is_silent_until_it_beats_again(slot: Slot) -> None:
    process = serve(slot, ready_at=102)
    slot.lose_patience(now=102 + slot.silence - 0.1)
    assert answers(slot.listener.address)
    slot.lose_patience(now=102 + slot.silence)
    assert not answers(slot.listener.address)
    hear(slot, process, Beat(), now=110)
    assert answers(slot.listener.address)
    assert slot.patience_ends_at == pytest.approx(110 + slot.silence)


def test_a_slot_without_a_worker_keeps_nobody_waiting(slot: Slot) -> None:
    assert slot.patience_ends_at is None


def test_a_worker_that_listened_and_died_without_a_word_leaves_no_open_backlog(slot: Slot) -> None:
    process = spawn(slot)
    hear(slot, process, Hello(pid=1))
    listen_as_a_worker_does(slot)
    assert answers(slot.listener.address)
    die(slot, process, now=102)
    assert not answers(slot.listener.address)


def listen_as_a_worker_does(slot: Slot) -> None:
    """On its own descriptor of the same socket, so that the master's object knows nothing."""
    with socket.socket(fileno=os.dup(slot.listener.fileno())) as inherited:
        listen(inherited)
