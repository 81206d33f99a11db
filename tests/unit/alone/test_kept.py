"""How much a lone process keeps, and what it says to who missed more."""

from __future__ import annotations

import pytest

from siocluster import rooms
from siocluster.bus import alone_log
from siocluster.bus.positions import Position
from tests.unit.alone.world import World, say, texts

# History


def test_history_is_read_backwards_page_by_page(world: World) -> None:
    world.client()
    for number in range(7):
        say(text=str(number))
    last = rooms.history("lobby", limit=3)
    middle = rooms.history("lobby", before=last[0].position, limit=3)
    first = rooms.history("lobby", before=middle[0].position, limit=3)
    assert [texts(page) for page in (first, middle, last)] == [
        ["0"],
        ["1", "2", "3"],
        ["4", "5", "6"],
    ]
    assert rooms.history("lobby", before=first[0].position) == []


def test_history_before_a_position_of_another_epoch_is_empty(world: World) -> None:
    world.client()
    say()
    assert rooms.history("lobby", before="999-zzzzzzzz") == []


def test_a_room_that_nobody_spoke_in_has_no_history(world: World) -> None:
    assert rooms.history("nowhere") == rooms.members("nowhere") == []


def test_a_room_holds_a_thousand_events_for_two_minutes(world: World) -> None:
    world.client()
    for number in range(1001):
        say(text=str(number))
    kept = rooms.history("lobby", limit=1000)
    assert (len(kept), texts(kept)[0]) == (1000, "1")
    world.clock.now += 120
    assert len(rooms.history("lobby", limit=1000)) == 1000
    world.clock.now += 1
    assert rooms.history("lobby") == []


def test_a_kept_room_holds_what_the_app_asked_for(world: World) -> None:
    world.client()
    rooms.keep("lobby", events=3, seconds=1000)
    for number in range(5):
        say(text=str(number))
    world.clock.now += 1000
    assert texts(rooms.history("lobby")) == ["2", "3", "4"]
    world.clock.now += 1
    assert rooms.history("lobby") == []


def test_keeping_a_room_keeps_what_is_there_already(world: World) -> None:
    world.client()
    say(text="early")
    rooms.keep("lobby")
    world.clock.now += 3600
    assert texts(rooms.history("lobby")) == ["early"]


def test_of_too_many_kept_rooms_the_one_used_longest_ago_falls_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone_log, "MOST_ROOMS", 2)
    world.client()
    for room in ("a", "b"):
        rooms.keep(room)
        say(room)
    rooms.history("a")
    rooms.keep("c")
    world.clock.now += 3600
    assert [len(rooms.history(room)) for room in ("a", "b")] == [1, 0]


def test_rooms_are_bounded_and_a_forgotten_one_is_no_silent_gap(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone_log, "MOST_ROOMS", 3)
    world.client()
    before = say("a")
    for room in ("a", "b", "c", "d"):
        say(room)
    assert rooms.history("a") == []
    assert rooms.missed("a", after=before) == rooms.Missed(events=(), complete=False)
    assert rooms.missed("b", after=before).complete


def test_many_rooms_push_out_no_kept_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone_log, "MOST_ROOMS", 3)
    world.client()
    rooms.keep("lobby")
    say("lobby")
    for room in range(10):
        say(room)
    assert len(rooms.history("lobby")) == 1


def test_quiet_rooms_do_not_hold_old_events_for_ever(world: World) -> None:
    world.client()
    say("quiet", "x")
    world.clock.now += 300
    say("busy")
    (log,) = (log for key, log in world.alone._logs._others.items() if key[1] == "quiet")
    assert not log.events


# Missed


def test_missed_gives_what_came_after_a_position_oldest_first(world: World) -> None:
    world.client()
    say(text="seen")
    seen = say("elsewhere")
    for text in ("a", "b", "c"):
        say(text=text)
    missed = rooms.missed("lobby", after=seen)
    assert (texts(missed.events), missed.complete) == (["a", "b", "c"], True)
    page = rooms.missed("lobby", after=seen, limit=2)
    assert (texts(page.events), page.complete) == (["a", "b"], True)
    assert texts(rooms.missed("lobby", after=page.events[-1].position).events) == ["c"]


def test_an_old_position_of_a_quiet_room_has_missed_nothing(world: World) -> None:
    world.client()
    seen = say("quiet")
    for _ in range(1500):
        say("busy")
    world.clock.now += 3600
    assert rooms.missed("quiet", after=seen) == rooms.Missed(events=(), complete=True)
    assert rooms.missed("never-used", after=seen) == rooms.Missed(events=(), complete=True)


def test_trimmed_events_are_told(world: World) -> None:
    world.client()
    first, second = say(), say()
    for _ in range(1000):
        say()
    assert not rooms.missed("lobby", after=first).complete
    assert rooms.missed("lobby", after=second).complete
    world.clock.now += 121
    assert rooms.missed("lobby", after=second) == rooms.Missed(events=(), complete=False)


@pytest.mark.parametrize("number", [0, 1, 10**17])
def test_a_position_of_another_epoch_is_told_to_load_afresh(world: World, number: int) -> None:
    world.client()
    say()
    assert rooms.missed("lobby", after=f"{number}-zzzzzzzz").complete is False


def test_a_position_from_the_future_is_told_to_load_afresh(world: World) -> None:
    world.client()
    epoch = Position.parse(say()).epoch
    assert rooms.missed("lobby", after=f"2-{epoch}") == rooms.Missed(events=(), complete=False)
