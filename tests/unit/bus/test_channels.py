"""Subscriptions: from a room's first member here until some time after its last."""

from __future__ import annotations

import pytest

from tests.unit.bus.heard import AGORA, FORUM, NAMES, World


@pytest.fixture
def world() -> World:
    return World()


def subscribed(world: World) -> set[str]:
    return world.link.channels


def test_room_is_subscribed_at_its_first_member(world: World) -> None:
    world.client("Ann", AGORA)
    world.client("Bob", AGORA)
    assert subscribed(world) == {NAMES.channel(AGORA)}


def test_room_is_dropped_some_time_after_its_last_member_has_left(world: World) -> None:
    clients = [world.client("Ann", AGORA), world.client("Bob", AGORA)]
    for client in clients:
        world.channels.leave(client, AGORA)
    assert subscribed(world) == {NAMES.channel(AGORA)}
    world.time_passes()
    assert subscribed(world) == set()
    assert world.channels.get(AGORA) is None


def test_room_that_somebody_came_back_to_is_kept(world: World) -> None:
    ann = world.client("Ann", AGORA)
    world.channels.leave(ann, AGORA)
    world.channels.enter(ann, AGORA, since=7)
    world.time_passes()
    assert subscribed(world) == {NAMES.channel(AGORA)}


def test_room_left_twice_is_dropped_once_and_can_be_opened_again(world: World) -> None:
    ann = world.client("Ann", AGORA)
    for _ in range(2):
        world.channels.enter(ann, AGORA, since=1)
        world.channels.leave(ann, AGORA)
    world.time_passes()
    assert subscribed(world) == set()
    world.channels.enter(ann, AGORA, since=2)
    assert subscribed(world) == {NAMES.channel(AGORA)}


def test_member_stays_what_it_was_until_redis_has_said_a_number(world: World) -> None:
    ann = world.client("Ann", AGORA, since=3)
    world.channels.enter(ann, AGORA, since=None)
    channel = world.channels.open(AGORA)
    assert channel.members == {ann: 3}
    world.channels.enter(ann, AGORA, since=5)
    assert channel.members == {ann: 5}


def test_client_that_has_gone_is_forgotten_in_all_its_rooms(world: World) -> None:
    ann = world.client("Ann", AGORA, FORUM)
    world.client("Bob", FORUM)
    world.channels.forget(ann)
    world.time_passes()
    assert subscribed(world) == {NAMES.channel(FORUM)}


def test_leaving_a_room_that_nobody_is_in_is_nothing(world: World) -> None:
    ann = world.client("Ann")
    world.channels.leave(ann, AGORA)
    world.time_passes()
    assert subscribed(world) == set()


def test_newest_number_heard_of_only_rises(world: World) -> None:
    channel = world.channels.open(AGORA)
    for number in (3, 5, 4):
        channel.heard(number)
    assert channel.last == 5
