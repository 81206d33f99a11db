"""Sessions on a real Redis: each belongs to its latest life, and remembers when it was where."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from siocluster.bus.scripts import LEASE_SECONDS
from tests.unit.bus.scripted import NAMES, SMALL, Worker

AGORA = 'r:/,"agora"'
SID = "a0-" + "h" * 20
PID = "p" * 22
SESSION = f"{NAMES.root}session:{PID}"


@pytest.fixture(autouse=True)
def alive(worker: Worker, other: Worker) -> None:
    worker.beat()
    other.beat()


def aged(client: redis.Redis, worker: Worker, *, seconds: float) -> None:
    """The worker was last heard of so long ago."""
    client.zincrby(f"{NAMES.root}workers", -seconds * 1000, worker.boot)


def claimed(reply: list[str]) -> dict[str, Any]:
    """What a claim that went well gives."""
    assert reply[0] == "1", reply
    fields = dict(zip(reply[7::2], reply[8::2], strict=True))
    return {"older": reply[3], "open": reply[4] == "1", **fields}


# Beginning


def test_session_holds_who_and_where_and_from_which_number_on(
    client: redis.Redis, worker: Worker
) -> None:
    number = worker.emit(AGORA).number
    assert worker.begin(PID, SID) == number
    assert client.hgetall(SESSION) == {
        **{"sid": SID, "namespace": "/", "place": "a0", "boot": "boot0"},
        **{"generation": "1", "epoch": worker.epoch, "start": number},
    }


def test_client_without_a_pid_leaves_nothing(client: redis.Redis, worker: Worker) -> None:
    worker.begin("", SID)
    worker.join(AGORA, "")
    worker.leave(AGORA, "")
    assert not list(client.scan_iter(f"{NAMES.root}session:*"))


# Stays in rooms


def test_stays_hold_the_numbers_of_each_join_and_leave(client: redis.Redis, worker: Worker) -> None:
    worker.begin(PID, SID)
    numbers = []
    for change in (worker.join, worker.leave, worker.join):
        numbers.append(worker.emit(AGORA).number)
        assert change(AGORA, PID)[0] == numbers[-1]
    first, second, third = numbers
    assert client.hget(SESSION, f"room {AGORA}") == f"{first}-{second} {third}-"


def test_join_and_leave_by_others_hold_the_numbers_that_they_are_given(
    client: redis.Redis, worker: Worker
) -> None:
    worker.begin(PID, SID)
    assert worker.join(AGORA, PID, since="7")[0] == "7"
    assert worker.leave(AGORA, PID, till="9")[0] == "9"
    assert client.hget(SESSION, f"room {AGORA}") == "7-9"


def test_join_twice_and_leave_twice_change_nothing(client: redis.Redis, worker: Worker) -> None:
    worker.begin(PID, SID)
    for since in ("1", "2"):
        worker.join(AGORA, PID, since=since)
    for till in ("3", "4"):
        worker.leave(AGORA, PID, till=till)
    assert client.hget(SESSION, f"room {AGORA}") == "1-3"


def test_leave_of_a_room_that_was_never_joined_is_no_stay(
    client: redis.Redis, worker: Worker
) -> None:
    worker.begin(PID, SID)
    worker.leave(AGORA, PID)
    assert client.hget(SESSION, f"room {AGORA}") is None


def test_stays_are_bounded_and_the_latest_are_kept(client: redis.Redis, worker: Worker) -> None:
    worker.begin(PID, SID)
    for number in range(0, 200, 2):
        worker.join(AGORA, PID, since=str(number))
        worker.leave(AGORA, PID, till=str(number + 1))
    stays = str(client.hget(SESSION, f"room {AGORA}")).split()
    assert 16 <= len(stays) <= 17
    assert stays[-1] == "198-199"


def test_join_tells_the_newest_number_of_the_room(worker: Worker) -> None:
    worker.begin(PID, SID)
    stored = worker.emit(AGORA)
    worker.emit("n:/")
    assert worker.join(AGORA, PID)[2] == stored.number


# Coming back


def test_claim_gives_the_session_and_moves_it(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    start = worker.begin(PID, SID)
    worker.join(AGORA, PID)
    found = claimed(other.claim(PID))
    assert (found["older"], found["open"]) == ("boot0", True)
    assert (found["sid"], found["start"], found["generation"]) == (SID, start, "2")
    assert found[f"room {AGORA}"] == f"{start}-"
    assert client.get(f"{NAMES.root}home:{SID}") == "a1"
    assert client.hmget(SESSION, "place", "boot") == ["a1", "boot1"]


@pytest.mark.parametrize(
    ("pid", "namespace"), [("unknown", "/"), (PID, "/other"), ("", "/"), (PID + "x", "/")]
)
def test_unknown_pid_and_one_of_another_namespace_are_the_same_to_who_claims(
    worker: Worker, other: Worker, pid: str, namespace: str
) -> None:
    worker.begin(PID, SID)
    assert other.claim(pid, namespace=namespace) == ["0", "unknown"]


def test_claim_that_is_refused_changes_nothing(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.begin(PID, SID)
    before = client.hgetall(SESSION)
    other.claim(PID, namespace="/other")
    assert client.hgetall(SESSION) == before


def test_session_of_another_epoch_cannot_go_on(worker: Worker, other: Worker) -> None:
    worker.begin(PID, SID)
    worker.client.hset(f"{NAMES.root}meta", "epoch", "another0")
    assert other.claim(PID) == ["0", "epoch"]


def test_open_session_lives_as_long_as_its_worker_was_heard_of(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.begin(PID, SID)
    aged(client, worker, seconds=SMALL.seconds - 1)
    assert claimed(other.claim(PID))["open"] is False
    worker.begin(PID, SID)
    aged(client, worker, seconds=2)
    assert other.claim(PID) == ["0", "expired"]


def test_open_session_of_a_worker_that_is_heard_of_never_expires(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.begin(PID, SID)
    aged(client, worker, seconds=LEASE_SECONDS - 1)
    assert claimed(other.claim(PID))["open"] is True


def test_session_of_a_buried_worker_lives_as_long_as_others(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.begin(PID, SID)
    aged(client, worker, seconds=LEASE_SECONDS + 1)
    other.call("bury", worker.boot)
    assert claimed(other.claim(PID))["open"] is False


def test_closed_session_may_be_claimed_for_so_long_after_its_end(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.begin(PID, SID)
    assert worker.call("finish", PID, 1, "1") == "1"
    assert claimed(other.claim(PID))["open"] is False
    assert other.call("finish", PID, 2, "1") == "1"
    client.hincrby(SESSION, "closed", -(SMALL.seconds * 1000 + 1))
    assert worker.claim(PID) == ["0", "expired"]


def test_session_that_may_not_come_back_is_gone_with_its_home(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.begin(PID, SID)
    claimed(other.claim(PID))
    assert other.call("finish", PID, 2, "0") == "1"
    assert not client.exists(SESSION, f"{NAMES.root}home:{SID}")
    assert worker.claim(PID) == ["0", "unknown"]


# One life at a time


def test_older_life_changes_nothing_any_more(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.begin(PID, SID)
    claimed(other.claim(PID))
    before = client.hgetall(SESSION)
    answers = [
        worker.join(AGORA, PID)[3],
        worker.leave(AGORA, PID)[3],
        worker.call("save", PID, 1, "saved", "stale"),
        worker.call("finish", PID, 1, "0"),
    ]
    assert answers == ["0"] * 4
    assert client.hgetall(SESSION) == before
    assert client.get(f"{NAMES.root}home:{SID}") == "a1"


def test_session_that_comes_back_again_and_again_belongs_to_the_last(
    worker: Worker, other: Worker
) -> None:
    worker.begin(PID, SID)
    for generation in range(2, 12):
        life = (worker, other)[generation % 2]
        assert claimed(life.claim(PID))["generation"] == str(generation)
    assert [other.call("save", PID, 11, "saved", "x"), worker.call("save", PID, 10, "y", "z")] == [
        "1",
        "0",
    ]


def test_saved_fields_are_written_and_an_empty_one_is_deleted(
    client: redis.Redis, worker: Worker
) -> None:
    worker.begin(PID, SID)
    worker.call("save", PID, 1, "saved", "text", "here x", "[]")
    worker.call("save", PID, 1, "here x", "")
    assert client.hmget(SESSION, "saved", "here x") == ["text", None]


def test_nothing_writes_to_a_session_that_is_not_there(client: redis.Redis, worker: Worker) -> None:
    assert worker.join(AGORA, PID)[3] == "0"
    assert worker.call("save", PID, 1, "saved", "x") == "0"
    assert worker.call("finish", PID, 1, "1") == "0"
    assert not client.exists(SESSION)
