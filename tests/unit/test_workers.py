"""The pool: who is replaced when, what is due next, and what is told of it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator

import pytest

from siocluster.address import Address
from siocluster.errors import EXIT_TARGET
from siocluster.listeners import answers, bind_all
from siocluster.master import workers as workers_module
from siocluster.master.lifecycle import State
from siocluster.master.run import AFTER_ABORT, AFTER_DUMP, DUMP_SIGNAL
from siocluster.master.slot import Slot
from siocluster.master.spawn import describe_exit
from siocluster.master.workers import Workers
from siocluster.settings import Settings
from siocluster.wire import Beat, Boot, Failed, Hello, Ready
from tests.integration.waiting import free_ports
from tests.unit.fakes import FakeProcess

SETTINGS = Settings(
    target="app:app", backoff=1, backoff_max=30, boot_timeout=60, heartbeat_timeout=15
)


def boot_for(slot: Slot) -> Boot:
    return Boot(
        purpose="serve", target="app:app", folder="/", name="app", node="a", slot=slot.index
    )


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Four slots on real ports; their processes are fakes."""

    def spawn(boot: Boot, *, environ: object) -> FakeProcess:
        return FakeProcess(pid=1000 + boot.slot)

    monkeypatch.setattr(workers_module, "Process", spawn)
    bound = bind_all([Address("127.0.0.1", port) for port in free_ports(4)])
    pool = Workers.on(bound, SETTINGS, environ={}, boot_for=boot_for)
    for slot in pool.slots:
        slot.backoff.chance = lambda: 0.0
    yield pool
    for listener in bound:
        listener.close()


def process_of(slot: Slot) -> FakeProcess:
    assert isinstance(slot.process, FakeProcess)
    return slot.process


def start(workers: Workers, count: int, *, now: float = 100.0, digest: str = "d") -> list[Slot]:
    started = workers.slots[:count]
    for slot in started:
        workers.spawn(slot, now=now)
        process_of(slot).says(Hello(pid=1), Ready(secret_digest=digest))
        workers.hear(slot, now=now)
    return started


def die(workers: Workers, slot: Slot, *, now: float, code: int = 1) -> None:
    process_of(slot).code = code
    assert list(workers.reap(now=now)) == [slot]


# Named questions


def test_slots_are_counted_by_what_they_do(workers: Workers) -> None:
    ready = start(workers, 2)
    workers.spawn(workers.slots[2], now=100)
    assert workers.ready() == ready
    assert workers.alive() == workers.wanted() == workers.slots[:3]
    assert workers.unsettled() == [workers.slots[2]]


def test_clients_of_all_slots_are_added_up(workers: Workers) -> None:
    for slot, connects in zip(start(workers, 2), (3, 4), strict=True):
        process_of(slot).says(Beat(connects=connects))
        workers.hear(slot, now=101)
    assert workers.clients() == 7


def test_different_secrets_are_noticed_among_ready_workers_only(workers: Workers) -> None:
    one, other = start(workers, 2)
    assert not workers.differing_secrets()
    assert other.run is not None
    other.run.secret_digest = "another"
    assert workers.differing_secrets()
    die(workers, other, now=101)
    assert one.ready and not workers.differing_secrets()


# Replacing


def test_a_dead_worker_is_replaced_when_its_backoff_is_over(workers: Workers) -> None:
    slot, healthy = start(workers, 2)
    die(workers, slot, now=101)
    workers.spawn_due(now=101.9)
    assert slot.state is State.BACKOFF
    workers.spawn_due(now=102)
    assert slot.state is State.SPAWNED
    assert healthy.ready and healthy.restarts == 0


def test_what_a_worker_said_last_is_heard_before_it_is_reaped(workers: Workers) -> None:
    slot = workers.slots[0]
    workers.spawn(slot, now=100)
    process_of(slot).says(Hello(pid=1), Failed(message="no database", exit_code=EXIT_TARGET))
    die(workers, slot, now=101)
    assert slot.reason.message == "no database"


def test_a_worker_that_died_without_a_word_has_its_exit_for_a_reason(workers: Workers) -> None:
    slot = workers.slots[0]
    workers.spawn(slot, now=100)
    die(workers, slot, now=101, code=7)
    assert slot.reason.message == "The worker ended (exit code 7) before it was ready."


def test_spare_slots_are_never_spawned_by_themselves(workers: Workers) -> None:
    start(workers, 2)
    workers.spawn_due(now=10_000)
    assert [slot.state for slot in workers.slots[2:]] == [State.SPARE, State.SPARE]


def test_one_slot_s_nonsense_leaves_the_others_alone(workers: Workers) -> None:
    bad, *healthy = start(workers, 3)
    process_of(bad).says(b"nonsense\n", Ready())
    workers.hear(bad, now=101)
    assert bad.state is State.CONDEMNED
    assert workers.ready() == healthy


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "still running"),
        (0, "exit code 0"),
        (3, "exit code 3"),
        (-9, "SIGKILL"),
        (-signal.SIGRTMIN - 1, f"signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_an_exit_is_told_in_words_whatever_ended_the_process(code: int | None, words: str) -> None:
    assert describe_exit(code) == words


# Silence


def test_a_silent_worker_is_condemned_at_the_heartbeat_timeout(workers: Workers) -> None:
    silent, lively = start(workers, 2)
    process_of(lively).says(Beat())
    workers.hear(lively, now=110)
    workers.condemn_silent(now=114.9)
    assert silent.ready
    workers.condemn_silent(now=115)
    assert silent.state is State.CONDEMNED
    assert lively.ready
    assert process_of(silent).signals == [DUMP_SIGNAL]


@pytest.mark.parametrize("said_hello", [False, True])
def test_a_worker_that_does_not_boot_in_time_is_condemned_and_says_why(
    workers: Workers, said_hello: bool
) -> None:
    slot = workers.slots[0]
    workers.spawn(slot, now=100)
    if said_hello:
        process_of(slot).says(Hello(pid=1))
        workers.hear(slot, now=101)
    workers.condemn_silent(now=159.9)
    assert slot.alive and slot.state is not State.CONDEMNED
    workers.condemn_silent(now=160)
    assert slot.state is State.CONDEMNED
    reason = slot.reason
    assert reason.message == "app:app was not ready within 60 s."
    assert "--boot-timeout" in reason.hint
    assert reason.exit_code == EXIT_TARGET


def test_a_draining_worker_may_be_silent(workers: Workers) -> None:
    (slot,) = start(workers, 1)
    workers.stop(now=101, seconds=300)
    workers.condemn_silent(now=200)
    workers.strike_condemned(now=200)
    assert process_of(slot).signals == [signal.SIGTERM]


# Stopping


def test_a_stop_reaches_whoever_is_wanted(workers: Workers) -> None:
    ready, waiting = start(workers, 2)
    die(workers, waiting, now=101)
    workers.spawn(workers.slots[2], now=101)
    workers.stop(now=102, seconds=30)
    states = [slot.state for slot in workers.slots]
    assert states == [State.DRAINING, State.SPARE, State.DRAINING, State.SPARE]
    assert process_of(ready).signals == [signal.SIGTERM]


def test_a_worker_that_does_not_stop_in_time_is_killed_once(workers: Workers) -> None:
    (slot,) = start(workers, 1)
    workers.stop(now=101, seconds=30)
    workers.strike_condemned(now=130.9)
    assert process_of(slot).signals == [signal.SIGTERM]
    workers.strike_condemned(now=131)
    workers.strike_condemned(now=140)
    assert process_of(slot).signals == [signal.SIGTERM, signal.SIGKILL]


# Deadlines: the loop sleeps until the nearest


def test_an_idle_pool_has_no_deadline(workers: Workers) -> None:
    assert list(workers.deadlines()) == []


def test_a_deadline_is_when_something_would_happen(workers: Workers) -> None:
    (slot,) = start(workers, 1)
    assert sorted(workers.deadlines()) == [100 + slot.silence, 115]
    die(workers, slot, now=101)
    assert list(workers.deadlines()) == [102]
    workers.spawn(slot, now=102)
    assert sorted(workers.deadlines()) == [slot.patience_ends_at, 162]
    workers.stop(now=103, seconds=30)
    assert list(workers.deadlines()) == [133]
    die(workers, slot, now=104)
    assert list(workers.deadlines()) == []


def test_a_worker_that_is_silent_is_muted_once_and_then_only_waited_for(workers: Workers) -> None:
    (slot,) = start(workers, 1)
    assert answers(slot.listener.address)
    workers.lose_patience(now=100 + slot.silence)
    assert not answers(slot.listener.address)
    assert list(workers.deadlines()) == [115]


def test_each_blow_has_its_deadline_and_after_the_last_there_is_none(workers: Workers) -> None:
    (slot,) = start(workers, 1)
    workers.condemn_silent(now=115)
    for due in (115 + AFTER_DUMP, 115 + AFTER_DUMP + AFTER_ABORT):
        assert list(workers.deadlines()) == [due]
        workers.strike_condemned(now=due)
    assert process_of(slot).signals[-1] is signal.SIGKILL
    assert list(workers.deadlines()) == []


STAGES: dict[str, Callable[[Workers], object]] = {
    "ready": lambda workers: start(workers, 1),
    "spawned": lambda workers: workers.spawn(workers.slots[0], now=100),
    "backoff": lambda workers: die(workers, start(workers, 1)[0], now=101),
    "draining": lambda workers: (start(workers, 1), workers.stop(now=101, seconds=30)),
    "condemned": lambda workers: (start(workers, 1), workers.condemn_silent(now=115)),
}


@pytest.mark.parametrize("stage", STAGES)
def test_no_deadline_comes_back_once_it_was_kept(workers: Workers, stage: str) -> None:
    """A deadline in the past that nothing moves would let the loop spin."""
    STAGES[stage](workers)
    for _ in range(6):
        due = min(workers.deadlines(), default=None)
        if due is None:
            break
        turn(workers, now=due)
        assert min(workers.deadlines(), default=due + 1) > due


def turn(workers: Workers, *, now: float) -> None:
    """What the arbiter does in one turn, in its order."""
    list(workers.reap(now=now))
    workers.condemn_silent(now=now)
    workers.strike_condemned(now=now)
    workers.lose_patience(now=now)
    workers.spawn_due(now=now)


# What is told


def test_a_boot_failure_is_told_whole_once_and_then_in_a_line(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    slot = workers.slots[0]
    for start_at in (100, 200):
        workers.spawn(slot, now=start_at)
        process_of(slot).says(Hello(pid=1), Failed(message="no db", hint="start it", detail="T"))
        die(workers, slot, now=start_at + 1)
    assert caplog.text.count("no db\nstart it\nT") == 1
    lines = [record.getMessage() for record in caplog.records if "cannot boot" in record.message]
    assert lines == [
        "Worker 0 cannot boot (exit code 1); next try in 1.0 s.",
        "Worker 0 cannot boot (exit code 1); next try in 2.0 s.",
    ]


def test_a_death_after_a_stable_run_says_that_a_new_one_comes_at_once(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    (slot,) = start(workers, 1)
    die(workers, slot, now=200)
    assert "Worker 0 died (exit code 1); a new one is started at once." in caplog.text


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"nonsense\n", "What came over the worker's pipe is no message."),
        (
            Hello(pid=1),
            "The worker spoke out of turn: hello cannot happen to a slot that is ready.",
        ),
        (Failed(message="drain broke", detail="T"), "drain broke\nT"),
    ],
    ids=["no-message", "out-of-turn", "its-own-words"],
)
def test_a_ready_worker_s_end_is_told_with_its_reason(
    workers: Workers, caplog: pytest.LogCaptureFixture, said: object, reason: str
) -> None:
    (slot,) = start(workers, 1)
    process_of(slot).says(said)  # type: ignore[arg-type]
    workers.hear(slot, now=101)
    die(workers, slot, now=102)
    first, then = [record.getMessage() for record in caplog.records]
    assert first == "Worker 0 died (exit code 1); next try in 1.0 s."
    assert then.startswith("Worker 0: ") and reason in then


def test_a_ready_worker_that_just_dies_is_told_in_one_line(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    (slot,) = start(workers, 1)
    die(workers, slot, now=102)
    assert len(caplog.records) == 1


def test_a_death_is_told_at_once_though_boot_failures_are_held(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    workers.hold_failures()
    (slot,) = start(workers, 1)
    process_of(slot).says(b"nonsense\n")
    die(workers, slot, now=102)
    assert [record.getMessage()[:8] for record in caplog.records] == ["Worker 0", "Worker 0"]


def test_a_worker_that_was_asked_to_stop_is_no_error(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (slot,) = start(workers, 1)
    workers.stop(now=101, seconds=30)
    die(workers, slot, now=102, code=0)
    assert "Worker 0 has stopped (exit code 0)." in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_a_note_is_told_once_for_each_worker(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    for start_at in (100, 200):
        slot = workers.slots[0]
        workers.spawn(slot, now=start_at)
        process_of(slot).says(Hello(pid=1), Ready(notes=("/healthz is the app's own",)))
        workers.hear(slot, now=start_at)
        die(workers, slot, now=start_at + 1)
    assert caplog.text.count("Worker 0: /healthz is the app's own") == 1
