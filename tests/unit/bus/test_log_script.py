"""What a log keeps: events, seconds and bytes, a room's own or as much as recovery needs."""

from __future__ import annotations

import pytest
import redis

from tests.unit.bus.scripted import NAMES, SMALL, Worker, later, log_of, numbers_in

AGORA, FORUM = 'r:/,"agora"', "r:/,42"
SID = "s:a0-" + "h" * 20
MINUTE = 60


def numbers(worker: Worker, address: str, count: int, *, body: str = "2[1]") -> list[int]:
    return [int(worker.emit(address, body=body).number) for _ in range(count)]


def stale(client: redis.Redis, address: str, *, seconds: float, count: int = 1) -> None:
    """Entries as they were written so long ago."""
    now, _ = client.time()
    for number in range(1, count + 1):
        fields = {"p": str(number - 1), "s": str(4 * number), "m": "{}\n2[1]"}
        written = int((now - seconds) * 1000)
        client.xadd(NAMES.log(address), fields, id=f"{number}-{written}")  # type: ignore[arg-type]


def keep(worker: Worker, address: str, *, events: int = 100, most: int = 10) -> None:
    """For a minute, 10 kB, in one of at most so many rooms."""
    worker.call("keep", address, events, MINUTE, 10_000, most)


def test_room_keeps_its_last_events(client: redis.Redis, worker: Worker) -> None:
    written = numbers(worker, AGORA, SMALL.events + 3)
    assert numbers_in(client, AGORA) == written[-SMALL.events :]


def test_sid_keeps_fewer(client: redis.Redis, worker: Worker) -> None:
    written = numbers(worker, SID, SMALL.events)
    assert numbers_in(client, SID) == written[-SMALL.sid_events :]


def test_first_entry_that_is_left_tells_that_some_are_missing(
    client: redis.Redis, worker: Worker
) -> None:
    written = numbers(worker, AGORA, SMALL.events + 2)
    assert log_of(client, AGORA)[0][:2] == (written[2], str(written[1]))


@pytest.mark.parametrize("count", [1, 4])
def test_entries_that_are_too_old_go_with_the_next_one(
    client: redis.Redis, worker: Worker, count: int
) -> None:
    stale(client, AGORA, seconds=SMALL.seconds + 1, count=count)
    stored = worker.emit(AGORA)
    assert stored.previous == str(count)
    assert numbers_in(client, AGORA) == [int(stored.number)]


def test_more_old_entries_than_one_look_finds_all_go(client: redis.Redis, worker: Worker) -> None:
    keep(worker, AGORA, events=1000)
    stale(client, AGORA, seconds=MINUTE + 1, count=300)
    stored = worker.emit(AGORA)
    assert numbers_in(client, AGORA) == [int(stored.number)]


def test_entries_that_are_not_too_old_stay(client: redis.Redis, worker: Worker) -> None:
    stale(client, AGORA, seconds=SMALL.seconds - 2, count=2)
    stored = worker.emit(AGORA)
    assert numbers_in(client, AGORA) == [1, 2, int(stored.number)]


def test_room_keeps_the_events_that_fit_and_the_one_before_them(
    client: redis.Redis, worker: Worker
) -> None:
    written = numbers(worker, AGORA, 5, body="2" + "x" * 399)
    assert numbers_in(client, AGORA) == written[-3:]  # two of 400 bytes fit into 1000


def test_small_events_after_a_large_one_are_counted_anew(
    client: redis.Redis, worker: Worker
) -> None:
    worker.emit(AGORA, body="2" + "x" * 900)
    written = numbers(worker, AGORA, SMALL.events)
    assert numbers_in(client, AGORA) == written


def test_event_larger_than_all_that_is_kept_is_kept_alone(
    client: redis.Redis, worker: Worker
) -> None:
    numbers(worker, AGORA, 2)
    stored = worker.emit(AGORA, body="2" + "x" * 5000)
    assert numbers_in(client, AGORA) == [int(stored.number)]
    assert worker.emit(AGORA).previous == stored.number


# Rooms that keep more


def test_room_that_is_kept_holds_what_it_was_asked_to(client: redis.Redis, worker: Worker) -> None:
    keep(worker, AGORA, events=8)
    stale(client, AGORA, seconds=SMALL.seconds + 5)
    written = numbers(worker, AGORA, 7, body="2" + "x" * 399)
    assert numbers_in(client, AGORA) == [1, *written]
    assert numbers_in(client, AGORA)[1:] == written
    last = numbers(worker, AGORA, 2)
    assert numbers_in(client, AGORA) == [*written[1:], *last]


def test_other_rooms_keep_what_recovery_needs(client: redis.Redis, worker: Worker) -> None:
    keep(worker, AGORA)
    numbers(worker, FORUM, 20)
    assert len(numbers_in(client, FORUM)) == SMALL.events


def test_room_asked_for_longest_ago_falls_back_when_too_many_are_kept(
    client: redis.Redis, worker: Worker
) -> None:
    rooms = [f"r:/,{number}" for number in range(4)]
    for room in rooms:
        keep(worker, room, most=3)
        numbers(worker, room, 10)
    numbers(worker, rooms[0], 1)
    assert [len(numbers_in(client, room)) for room in rooms] == [SMALL.events, 10, 10, 10]


def test_room_that_is_asked_for_again_is_not_the_one_that_falls_back(
    client: redis.Redis, worker: Worker
) -> None:
    rooms = [f"r:/,{number}" for number in range(3)]
    for room in (*rooms, rooms[0]):
        later(client)
        keep(worker, room, most=3)
    keep(worker, "r:/,3", most=3)
    for room in rooms:
        numbers(worker, room, 10)
    assert [len(numbers_in(client, room)) for room in rooms] == [10, SMALL.events, 10]


def test_kept_rooms_are_never_more_than_there_may_be(client: redis.Redis, worker: Worker) -> None:
    for number in range(30):
        keep(worker, f"r:/,{number}", most=7)
    assert len(list(client.scan_iter(f"{NAMES.root}keep:*"))) == 7
    assert client.zcard(f"{NAMES.root}kept") == 7


def test_log_outlives_its_last_event_by_what_it_keeps(client: redis.Redis, worker: Worker) -> None:
    """Twice the time, and until a silent client is noticed: what is not there is older."""
    keep(worker, FORUM)
    worker.emit(AGORA, FORUM)
    short, long = 2 * SMALL.seconds + SMALL.patience, 2 * MINUTE + SMALL.patience
    assert [client.ttl(NAMES.log(room)) for room in (AGORA, FORUM)] == [short, long]


def test_log_of_a_room_that_falls_back_ends_sooner(client: redis.Redis, worker: Worker) -> None:
    keep(worker, AGORA, most=1)
    worker.emit(AGORA)
    keep(worker, FORUM, most=1)
    assert client.ttl(NAMES.log(AGORA)) == 2 * SMALL.seconds + SMALL.patience
