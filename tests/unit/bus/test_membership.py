"""Joins and leaves: the app sees them at once, what a client gets follows Redis's numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from siocluster.bus.clients import Client
from siocluster.bus.membership import Membership
from tests.unit.bus.heard import AGORA, World, got, message

EPOCH = b"epoch000"
OWNED, LOST = b"1", b"0"


@dataclass(slots=True)
class House:
    world: World = field(default_factory=World)
    superseded: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)

    def membership(self) -> Membership:
        return Membership(
            self.world.link,  # type: ignore[arg-type]
            self.world.channels,
            self.world.clients,
            boot="boot0",
            place="a0",
            after=lambda action: action(),
            reached=lambda number, epoch: None,
            on_superseded=lambda client: self.superseded.append(client.sid),
            fill=self.filled.append,
        )


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def world(house: House) -> World:
    return house.world


@pytest.fixture
def membership(house: House) -> Membership:
    return house.membership()


@pytest.fixture
def ann(world: World) -> Client:
    return world.client("Ann", pid="secret")


def since(world: World, client: Client) -> int | None:
    channel = world.channels.get(AGORA)
    return channel.members.get(client, -1) if channel else -1


# Connecting


def test_client_is_connected_from_the_number_that_redis_gives(
    world: World, membership: Membership
) -> None:
    ann = Client("Ann", "/", "e", pid="secret")
    membership.begin(ann)
    assert world.link.calls() == [("begin", "n:/", "secret", "Ann", "/", "a0", "boot0")]
    assert (world.clients.get("Ann"), ann.start) == (ann, None)
    world.link.answer([b"7", EPOCH, b"5"])
    channel = world.channels.get("n:/")
    assert channel
    assert (ann.start, channel.members, channel.last) == (7, {ann: 7}, 5)


# Joining


def test_join_counts_at_once_and_gives_from_redis_s_number_on(
    world: World, membership: Membership, ann: Client
) -> None:
    membership.join(ann, AGORA)
    assert AGORA in ann.wanted
    assert world.link.channels
    world.delivery.take(message(5, AGORA))
    world.link.answer([b"5", EPOCH, b"5", OWNED])
    world.delivery.take(message(6, AGORA, previous=5))
    assert got(world) == ["Ann 6@"]


def test_ack_of_the_handler_waits_for_the_join(membership: Membership, ann: Client) -> None:
    membership.join(ann, AGORA)
    assert ann.due
    assert (ann.due.name, ann.due.done) == ("join", False)


def test_second_join_asks_nothing(world: World, membership: Membership, ann: Client) -> None:
    membership.join(ann, AGORA)
    membership.join(ann, AGORA)
    assert len(world.link.asked) == 1


def test_join_that_another_worker_asked_for_counts_from_its_number(
    world: World, house: House, membership: Membership, ann: Client
) -> None:
    membership.join(ann, AGORA, since=9, room='"agora"')
    assert world.link.calls()[-1] == ("join", AGORA, "secret", "1", "9", '"agora"')
    assert house.filled == [AGORA]
    world.delivery.take(message(10, AGORA))
    assert got(world) == ["Ann 10@"]


def test_room_that_is_open_here_already_needs_no_reading(
    world: World, house: House, membership: Membership, ann: Client
) -> None:
    world.client("Bob", AGORA)
    channel = world.channels.get(AGORA)
    assert channel is not None
    channel.heard(5)
    membership.join(ann, AGORA, since=9)
    assert house.filled == []
    assert since(world, ann) == 9


# Leaving


def test_leaver_gets_what_came_before_redis_s_number(world: World, membership: Membership) -> None:
    ann = world.client("Ann", AGORA)
    membership.leave(ann, AGORA)
    assert AGORA not in ann.wanted
    world.delivery.take(message(5, AGORA))
    world.link.answer([b"5", EPOCH, b"0", OWNED])
    world.delivery.take(message(6, AGORA, previous=5))
    assert got(world) == ["Ann 5"]


def test_leave_that_another_worker_asked_for_counts_at_once(
    world: World, membership: Membership
) -> None:
    ann = world.client("Ann", AGORA)
    membership.leave(ann, AGORA, till=4)
    world.delivery.take(message(5, AGORA))
    assert got(world) == []


def test_leaving_what_was_never_joined_asks_nothing(
    world: World, membership: Membership, ann: Client
) -> None:
    membership.leave(ann, AGORA)
    assert world.link.asked == []


def test_leave_and_join_in_one_handler_give_from_the_join_on(
    world: World, membership: Membership
) -> None:
    ann = world.client("Ann", AGORA)
    membership.leave(ann, AGORA)
    membership.join(ann, AGORA)
    world.link.answer([b"5", EPOCH, b"0", OWNED])
    world.delivery.take(message(6, AGORA))
    world.link.answer([b"6", EPOCH, b"6", OWNED])
    world.delivery.take(message(7, AGORA, previous=6))
    assert got(world) == ["Ann 7"]


def test_join_and_leave_in_one_handler_give_nothing(
    world: World, membership: Membership, ann: Client
) -> None:
    membership.join(ann, AGORA)
    membership.leave(ann, AGORA)
    world.link.answer([b"5", EPOCH, b"5", OWNED])
    world.link.answer([b"5", EPOCH, b"0", OWNED])
    world.delivery.take(message(6, AGORA))
    assert got(world) == []
    world.time_passes()
    assert world.link.channels == set()


# Later lives


@pytest.mark.parametrize("change", ["join", "leave"])
def test_life_that_another_has_followed_is_told_so(
    world: World, house: House, membership: Membership, change: str
) -> None:
    ann = world.client("Ann", *([AGORA] if change == "leave" else []), pid="secret")
    getattr(membership, change)(ann, AGORA)
    world.link.answer([b"5", EPOCH, b"0", LOST])
    assert house.superseded == ["Ann"]


@pytest.mark.parametrize(("may_return", "word"), [(True, "1"), (False, "0")])
def test_session_ends_as_the_client_did(
    world: World, membership: Membership, ann: Client, may_return: bool, word: str
) -> None:
    ann.may_return = may_return
    membership.end(ann)
    assert world.link.calls() == [("finish", "secret", "1", word)]
    assert (world.clients.get("Ann"), ann.ended.is_set()) == (None, True)


def test_superseded_life_ends_without_touching_the_session(
    world: World, membership: Membership, ann: Client
) -> None:
    ann.superseded = True
    later = world.client("Ann", pid="secret")
    membership.end(ann)
    assert world.link.asked == []
    assert world.clients.get("Ann") is later


def test_client_without_a_session_ends_without_a_word(world: World, membership: Membership) -> None:
    membership.end(world.client("Bob", AGORA))
    world.time_passes()
    assert (world.link.asked, world.link.channels) == ([], set())
