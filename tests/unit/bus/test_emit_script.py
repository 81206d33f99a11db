"""The emit script on a real Redis: number, append, publish, each once, all or nothing."""

from __future__ import annotations

import pytest
import redis

from tests.unit.bus.scripted import NAMES, Snapshot, Worker, listening, log_of, numbers_in

AGORA, FORUM = 'r:/,"agora"', "r:/,42"
HERE, THERE = "s:a0-" + "h" * 20, "s:a1-" + "t" * 20
MOST_IN_FLIGHT = 1024  # commands of one worker


# Numbers


def test_numbers_rise_by_one_over_all_rooms_and_workers(worker: Worker, other: Worker) -> None:
    first = int(worker.emit(AGORA).number)
    found = [other.emit(FORUM), worker.emit(AGORA, FORUM), other.emit("n:/"), worker.emit(HERE)]
    assert [int(stored.number) for stored in found] == [first + step for step in (1, 2, 3, 4)]


def test_each_entry_names_the_one_before_it_in_its_own_log(
    client: redis.Redis, worker: Worker
) -> None:
    one = worker.emit(AGORA)
    two = worker.emit(FORUM)
    three = worker.emit(AGORA, FORUM)
    four = worker.emit(FORUM)
    assert [one.previous, two.previous] == ["0", "0"]
    assert three.previous == f"{one.number},{two.number}"
    assert four.previous == three.number
    assert [entry[1] for entry in log_of(client, FORUM)] == ["0", two.number, three.number]


def test_emit_to_several_rooms_is_one_number_in_each_log(
    client: redis.Redis, worker: Worker
) -> None:
    stored = worker.emit(AGORA, FORUM, HERE, "n:/")
    for address in (AGORA, FORUM, HERE, "n:/"):
        assert numbers_in(client, address) == [int(stored.number)]


def test_body_is_stored_as_it_was_given(client: redis.Redis, worker: Worker) -> None:
    body = '2["event","two\nlines \x00 and ☂"]'
    worker.emit(AGORA, body=body)
    assert [entry[2] for entry in log_of(client, AGORA)] == [body]


# Who is told


def test_room_is_told_number_epoch_and_the_number_before(
    client: redis.Redis, worker: Worker
) -> None:
    with listening(client, NAMES.channel(AGORA), NAMES.channel(FORUM)) as ear:
        first, second = worker.emit(AGORA), worker.emit(AGORA, FORUM, body="2[1]")
        heard = [ear.message(), ear.message(), ear.message()]
    assert [message.number for message in heard] == [int(first.number), *[int(second.number)] * 2]
    assert heard[0].previous == {AGORA: 0}
    assert heard[1] == heard[2]
    assert heard[1].previous == {AGORA: int(first.number), FORUM: 0}
    assert (heard[1].parts, heard[1].chain) == ((b"2[1]",), None)
    assert {message.epoch for message in heard} == {"fresh000"}


def test_what_is_not_stored_is_numbered_and_told_and_leaves_no_entry(
    client: redis.Redis, worker: Worker
) -> None:
    before = worker.emit(AGORA)
    with listening(client, NAMES.channel(AGORA)) as ear:
        volatile = worker.emit(AGORA, stored=False)
        heard = ear.message()
    assert int(volatile.number) == int(before.number) + 1 == heard.number
    assert (volatile.previous, heard.previous) == ("-", {})
    assert numbers_in(client, AGORA) == [int(before.number)]
    assert worker.emit(AGORA).previous == before.number


def test_sid_elsewhere_is_told_by_its_place_with_a_chain_of_its_own(
    client: redis.Redis, worker: Worker
) -> None:
    neighbour = "s:a1-" + "n" * 20
    with listening(client, NAMES.place("a1")) as ear:
        first, second = worker.emit(THERE), worker.emit(neighbour)
        heard = [ear.message(), ear.message()]
    assert [message.chain for message in heard] == [0, int(first.number)]
    assert heard[1].previous == {neighbour: 0}
    assert heard[1].number == int(second.number)


def test_sid_of_the_caller_s_own_place_is_stored_and_told_to_nobody(
    client: redis.Redis, worker: Worker
) -> None:
    with listening(client, NAMES.place("a0")) as ear:
        stored = worker.emit(HERE)
        assert ear.hears_nothing()
    assert numbers_in(client, HERE) == [int(stored.number)]


def test_recovered_sid_is_told_where_it_lives_now(client: redis.Redis, worker: Worker) -> None:
    worker.begin("pid", HERE[2:])
    other = Worker(client, place="a1", boot="boot1")
    other.beat()
    worker.beat()
    assert other.claim("pid")[0] == "1"
    with listening(client, NAMES.place("a1"), NAMES.place("a0")) as ear:
        worker.emit(HERE)
        assert ear.next()["channel"].decode() == NAMES.place("a1")
        assert ear.hears_nothing()


def test_place_with_several_addressees_is_told_once(client: redis.Redis, worker: Worker) -> None:
    with listening(client, NAMES.place("a1")) as ear:
        worker.emit(THERE, "s:a1-" + "n" * 20)
        ear.message()
        assert ear.hears_nothing()


# Once


def test_emit_that_is_sent_again_is_neither_stored_nor_told_again(
    client: redis.Redis, worker: Worker
) -> None:
    first = worker.emit(AGORA, sequence=7)
    worker.emit(AGORA, sequence=8)
    with listening(client, NAMES.channel(AGORA)) as ear:
        again = worker.emit(AGORA, sequence=7)
        assert ear.hears_nothing()
    assert again == first._replace(status="known")
    assert len(numbers_in(client, AGORA)) == 2


def test_everything_in_flight_may_be_sent_again(client: redis.Redis, worker: Worker) -> None:
    first = [worker.emit("n:/", stored=False) for _ in range(MOST_IN_FLIGHT)]
    again = [worker.emit("n:/", stored=False, sequence=at + 1) for at in range(MOST_IN_FLIGHT)]
    assert again == [stored._replace(status="known") for stored in first]


def test_two_workers_sequences_have_nothing_to_do_with_each_other(
    worker: Worker, other: Worker
) -> None:
    found = [each.emit(AGORA, sequence=1) for each in (worker, other)]
    assert [stored.status for stored in found] == ["new", "new"]


def test_message_id_stores_and_tells_once_and_gives_the_first_position(
    client: redis.Redis, worker: Worker, other: Worker
) -> None:
    first = worker.emit(AGORA, message_id="m1")
    with listening(client, NAMES.channel(AGORA)) as ear:
        again = other.emit(AGORA, message_id="m1")
        assert ear.hears_nothing()
    assert again == (first.number, first.epoch, "-", "same")
    assert other.emit(AGORA, message_id="m2").status == "new"
    assert len(numbers_in(client, AGORA)) == 2


def test_message_id_is_remembered_for_a_day(client: redis.Redis, worker: Worker) -> None:
    worker.emit(AGORA, message_id="m1")
    assert 86390 <= client.ttl(f"{NAMES.root}said:m1") <= 86400


# Nothing half done


@pytest.mark.parametrize("present", [False, True])
def test_older_token_is_refused_and_changes_nothing(
    worker: Worker, other: Worker, client: redis.Redis, snapshot: Snapshot, present: bool
) -> None:
    older, _, _ = worker.beat()
    client.delete(f"{NAMES.root}leader")
    newer, _, _ = other.beat()
    if not present:
        client.hdel(f"{NAMES.root}meta", "token")
    before = snapshot()
    with pytest.raises(redis.ResponseError, match="FENCED"):
        worker.emit(AGORA, token=older)
    assert snapshot() == before
    if present:
        assert other.emit(AGORA, token=newer).status == "new"


def test_write_of_a_deposed_leader_that_was_stored_in_time_is_still_known(
    worker: Worker, other: Worker, client: redis.Redis
) -> None:
    token, _, _ = worker.beat()
    first = worker.emit(AGORA, token=token, sequence=1)
    client.delete(f"{NAMES.root}leader")
    other.beat()
    assert worker.emit(AGORA, token=token, sequence=1) == first._replace(status="known")


@pytest.mark.parametrize("key", ["log:" + FORUM, "keep:" + FORUM, "boot:boot0", "said:m1"])
def test_foreign_key_in_the_way_leaves_nothing_half_done(
    client: redis.Redis, worker: Worker, snapshot: Snapshot, key: str
) -> None:
    worker.emit(AGORA)
    client.delete(NAMES.root + key)
    client.rpush(NAMES.root + key, "not ours")
    before = snapshot()
    with listening(client, NAMES.channel(AGORA)) as ear:
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            worker.emit(AGORA, FORUM, message_id="m1")
        assert ear.hears_nothing()
    assert snapshot() == before


@pytest.mark.parametrize("key", ["chain:a1", "home:" + THERE[2:]])
def test_foreign_key_in_the_way_of_a_place_leaves_nothing_half_done(
    client: redis.Redis, worker: Worker, snapshot: Snapshot, key: str
) -> None:
    worker.emit(AGORA)
    client.rpush(NAMES.root + key, "not ours")
    before = snapshot()
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        worker.emit(AGORA, THERE)
    assert snapshot() == before


def test_full_redis_refuses_and_leaves_nothing_half_done(
    client: redis.Redis, worker: Worker, snapshot: Snapshot
) -> None:
    worker.emit(AGORA)
    client.config_set("maxmemory", 1)
    before = snapshot()
    with pytest.raises(redis.OutOfMemoryError):
        worker.emit(AGORA, FORUM, message_id="m1")
    assert snapshot() == before


def test_full_redis_still_takes_what_leads_out_of_it(client: redis.Redis, worker: Worker) -> None:
    worker.begin("pid", HERE[2:])
    client.config_set("maxmemory", 1)
    token, _, _ = worker.beat()
    assert token
    assert worker.join(AGORA, "pid")[3] == "1"
    assert worker.call("heads", "a0", AGORA)[3] == "0"
    assert worker.claim("pid")[0] == "1"
    assert worker.call("finish", "pid", 2, "0") == "1"
