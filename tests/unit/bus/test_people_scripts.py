"""Beats, leases and people on a real Redis: who leads, who is dead, and who is in a room."""

from __future__ import annotations

import json

import pytest
import redis

from siocluster.bus.scripts import LEASE_SECONDS
from tests.unit.bus.scripted import NAMES, SMALL, Worker, later, listening

AGORA = 'r:/,"agora"'
ANN, BOB = "Ann", 'Bob "the" builder ☂'
DATA = '["agora",{"colour":"blue"}]'
LEADER, WORKERS = f"{NAMES.root}leader", f"{NAMES.root}workers"


def silent(client: redis.Redis, worker: Worker, seconds: float = LEASE_SECONDS + 1) -> None:
    """Not heard of for so long; its lease to lead is over, too."""
    client.zincrby(WORKERS, -seconds * 1000, worker.boot)
    if client.get(LEADER) == worker.boot:
        client.delete(LEADER)


def arrive(worker: Worker, person: str, *, address: str = AGORA, data: str = DATA) -> bool:
    """Whether it was not there by another worker."""
    return bool(worker.call("arrive", address, worker.boot, person, data) == "1")


def depart(worker: Worker, *people: str, boot: str = "", address: str = AGORA) -> list[str]:
    """The data of those who are there no more."""
    flat = [part for person in people for part in (address, person)]
    return list(worker.call("depart", boot or worker.boot, *flat))


def people(client: redis.Redis, address: str = AGORA) -> set[str]:
    fields = client.hkeys(f"{NAMES.root}people:{address}")
    return {field[2:] for field in fields if field.startswith("d ")}


# Who leads


def test_first_who_asks_leads_and_nobody_else(worker: Worker, other: Worker) -> None:
    token, _, _ = worker.beat()
    assert token
    assert [other.beat()[0], worker.beat()[0], other.beat()[0]] == ["", token, ""]


def test_lease_to_lead_is_renewed_by_each_beat(client: redis.Redis, worker: Worker) -> None:
    worker.beat()
    client.pexpire(LEADER, 10)
    worker.beat()
    assert LEASE_SECONDS * 1000 - 1000 < client.pttl(LEADER) <= LEASE_SECONDS * 1000


def test_tokens_only_rise(client: redis.Redis, worker: Worker, other: Worker) -> None:
    tokens = []
    for index in range(20):
        client.delete(LEADER)
        tokens.append(int((worker, other)[index % 2].beat()[0]))
    assert tokens == sorted(set(tokens))


def test_token_after_redis_lost_all_is_higher_than_any_before(
    client: redis.Redis, worker: Worker
) -> None:
    before = int(worker.beat()[0])
    later(client)
    client.flushall()
    assert int(worker.beat()[0]) > before


def test_who_does_not_want_to_lead_gives_it_back(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.beat()
    assert worker.beat(wants="")[0] == ""
    assert other.beat()[0]
    assert worker.beat(wants="")[0] == ""
    assert client.get(LEADER) == other.boot


def test_leader_that_resigns_is_followed_at_once_and_nobody_elses_lease_ends(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.beat()
    other.call("resign", other.boot)
    assert client.get(LEADER) == worker.boot
    worker.call("resign", worker.boot)
    assert other.beat()[0]


# Who lives


def test_beat_comes_back_over_the_worker_s_own_channel(client: redis.Redis, worker: Worker) -> None:
    number = worker.emit(AGORA).number
    with listening(client, NAMES.worker(worker.boot)) as ear:
        worker.beat()
        assert ear.next()["data"].decode() == f"beat {number} {worker.epoch}"


def test_leader_alone_is_told_of_the_dead(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    third = Worker(client, place="a2", boot="boot2")
    for each in (worker, other, third):
        each.beat()
    silent(client, third)
    assert [worker.beat()[2], other.beat()[2]] == [["boot2"], []]


def test_worker_that_is_late_by_less_than_its_lease_is_not_dead(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.beat()
    other.beat()
    silent(client, other, LEASE_SECONDS - 1)
    assert worker.beat()[2] == []


def test_buried_worker_is_told_so_when_it_beats_again(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    assert worker.beat()[1] is True
    assert [worker.beat()[1], other.beat()[1]] == [False, True]
    silent(client, other)
    worker.call("bury", other.boot)
    assert worker.beat()[2] == []
    assert [other.beat()[1], other.beat()[1]] == [True, False]


def test_worker_that_beat_again_meanwhile_is_not_buried(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    worker.beat()
    other.beat()
    worker.call("bury", other.boot)
    assert other.beat()[1] is False


# Who is there


def test_person_comes_once_by_several_workers_and_goes_with_the_last(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    assert [arrive(worker, ANN), arrive(other, ANN)] == [True, False]
    assert depart(worker, ANN) == [""]
    assert people(client) == {ANN}
    assert depart(other, ANN) == [DATA]
    assert people(client) == set()


def test_worker_that_says_it_twice_counts_once(client: redis.Redis, worker: Worker) -> None:
    assert [arrive(worker, ANN), arrive(worker, ANN)] == [True, False]
    assert [depart(worker, ANN), depart(worker, ANN)] == [[DATA], [""]]
    assert people(client) == set()


def test_person_has_what_was_given_last(worker: Worker, other: Worker) -> None:
    arrive(worker, BOB)
    arrive(other, BOB, data='["agora",2]')
    depart(other, BOB)
    assert depart(worker, BOB) == ['["agora",2]']


def test_several_depart_in_one_call_each_with_their_own_answer(
    worker: Worker, other: Worker
) -> None:
    for person in (ANN, BOB):
        arrive(worker, person)
    arrive(other, BOB)
    assert depart(worker, ANN, "nobody", BOB) == [DATA, "", ""]


def test_rooms_have_nothing_to_do_with_each_other(client: redis.Redis, worker: Worker) -> None:
    assert [arrive(worker, ANN), arrive(worker, ANN, address="r:/,42")] == [True, True]
    assert depart(worker, ANN) == [DATA]
    assert people(client, "r:/,42") == {ANN}


def test_roster_of_a_worker_names_all_who_are_to_go_with_it(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    for person in (ANN, BOB):
        arrive(worker, person)
    arrive(other, ANN)
    roster = client.smembers(f"{NAMES.root}roster:{worker.boot}")
    assert {tuple(json.loads(entry)) for entry in roster} == {(AGORA, ANN), (AGORA, BOB)}
    assert depart(other, ANN, BOB, boot=worker.boot) == ["", DATA]
    assert not client.exists(f"{NAMES.root}roster:{worker.boot}")


# What is left


@pytest.mark.parametrize("kept", [False, True])
def test_every_key_has_an_expiry(
    client: redis.Redis, worker: Worker, other: Worker, kept: bool
) -> None:
    """Whatever was done, and also when the cluster ends without a word."""
    sid = "a0-" + "h" * 20
    worker.call("greet")
    worker.beat()
    other.beat()
    worker.begin("pid", sid)
    worker.join(AGORA, "pid")
    worker.call("save", "pid", 1, "saved", "x")
    if kept:
        worker.call("keep", AGORA, 100, 86400, 10_000, 10)
    worker.emit(AGORA, f"s:{sid}", "s:a1-" + "t" * 20, "n:/", message_id="m1")
    arrive(worker, ANN)
    assert other.claim("pid")[0] == "1"
    other.call("renew", "", "session:pid", f"home:{sid}")
    other.call("renew", "1", f"roster:{worker.boot}", f"people:{AGORA}")
    other.call("finish", "pid", 2, "1")
    silent(client, worker)
    other.beat()
    other.call("bury", worker.boot)
    forever = [key for key in client.scan_iter() if client.ttl(key) < 0]
    assert not forever
    assert len(list(client.scan_iter())) >= 12


def test_renewal_keeps_what_is_there_and_makes_nothing(client: redis.Redis, worker: Worker) -> None:
    worker.begin("pid", "a0-x")
    client.expire(f"{NAMES.root}session:pid", 5)
    worker.call("renew", "", "session:pid", "session:other")
    assert client.ttl(f"{NAMES.root}session:pid") == 2 * 3600 + SMALL.seconds
    assert not client.exists(f"{NAMES.root}session:other")
