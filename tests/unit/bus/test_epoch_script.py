"""Redis has lost what it had, or some of it: numbers tell, and old positions mean nothing."""

from __future__ import annotations

import redis

from tests.unit.bus.scripted import NAMES, Worker, numbers_in

AGORA = 'r:/,"agora"'
META = f"{NAMES.root}meta"
LEFT_OUT = 10_000_000  # numbers after a restart


def greet(worker: Worker) -> list[str]:
    """Number, epoch, the last number before a restart and the first one after it."""
    found: list[str] = worker.call("greet")
    worker.learn(found[0], found[1])
    return found


def restarted(client: redis.Redis, number: int | None = None) -> None:
    """Another process than the one that the cluster knows, on a file that ends at `number`."""
    client.hset(META, "run", "0" * 40)
    if number is not None:
        client.hset(META, "number", str(number))


def test_first_call_of_all_gives_the_epoch_that_the_worker_proposes(worker: Worker) -> None:
    assert worker.emit(AGORA).epoch == "fresh000"


def test_epoch_stays_whatever_others_propose(worker: Worker, other: Worker) -> None:
    worker.emit(AGORA)
    other.fresh = "fresh111"
    assert [other.emit(AGORA).epoch, worker.emit(AGORA).epoch] == ["fresh000", "fresh000"]


def test_emptied_redis_gets_another_epoch_and_higher_numbers(
    client: redis.Redis, worker: Worker
) -> None:
    before = worker.emit(AGORA)
    client.flushall()
    worker.fresh = "fresh111"
    after = worker.emit(AGORA)
    assert after.epoch == "fresh111"
    assert int(after.number) > int(before.number)


def test_redis_that_fell_back_behind_a_worker_gets_another_epoch(
    client: redis.Redis, worker: Worker
) -> None:
    worker.emit(AGORA)
    older = client.hgetall(META)
    newest = int(worker.emit(AGORA).number)
    client.hset(META, mapping=older)
    worker.fresh = "fresh111"
    after = worker.emit(AGORA)
    assert (after.epoch, int(after.number) > newest) == ("fresh111", True)
    assert numbers_in(client, AGORA)[-1] == int(after.number)


def test_worker_of_the_epoch_before_does_not_turn_it_again(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.emit(AGORA)
    other.emit(AGORA)
    client.flushall()
    worker.fresh, other.fresh = "fresh111", "fresh222"
    assert [worker.emit(AGORA).epoch, other.emit(AGORA).epoch] == ["fresh111", "fresh111"]


def test_every_script_that_gives_a_number_notices(client: redis.Redis, worker: Worker) -> None:
    worker.emit(AGORA)
    for index, call in enumerate(
        (
            lambda: worker.begin("pid", "a0-x"),
            lambda: worker.join(AGORA, ""),
            lambda: worker.leave(AGORA, ""),
            lambda: worker.call("heads", "a0", AGORA),
            lambda: worker.beat(),
            lambda: greet(worker),
        )
    ):
        client.flushall()
        worker.fresh = f"fresh{index}00"
        call()
        assert client.hget(META, "epoch") == worker.fresh


def test_another_redis_process_goes_on_far_above(client: redis.Redis, worker: Worker) -> None:
    greet(worker)
    last = int(worker.emit(AGORA).number)
    restarted(client)
    number, epoch, kept, resumed = greet(worker)
    assert (int(number), epoch) == (last + LEFT_OUT, "fresh000")
    assert (int(kept), int(resumed)) == (last, last + LEFT_OUT)
    assert int(worker.emit(AGORA).number) == last + LEFT_OUT + 1


def test_same_redis_process_goes_on_where_it_was(worker: Worker, other: Worker) -> None:
    greet(worker)
    last = int(worker.emit(AGORA).number)
    assert [int(part) for part in (greet(worker)[0], greet(other)[0])] == [last, last]


def test_worker_that_saw_what_a_restarted_redis_lost_turns_the_epoch(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    """Though another has greeted it first, and numbers are far above since."""
    greet(worker)
    last = int(worker.emit(AGORA).number)
    other.learn(str(last), worker.epoch)
    lost = int(worker.emit(AGORA).number)
    restarted(client, last)
    assert greet(other)[1] == "fresh000"
    worker.fresh = "fresh111"
    number, epoch, kept, resumed = greet(worker)
    assert (epoch, kept, resumed) == ("fresh111", "0", "0")
    assert int(number) > lost


def test_worker_that_saw_nothing_of_what_was_lost_goes_on(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    greet(worker)
    last = int(worker.emit(AGORA).number)
    other.learn(str(last), worker.epoch)
    restarted(client, last)
    for each in (worker, other):
        each.fresh = "fresh111"
        assert greet(each)[1:] == ["fresh000", str(last), str(last + LEFT_OUT)]
