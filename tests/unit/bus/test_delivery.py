"""Delivery: each thing once, by number, to those who were members then; a gap holds all."""

from __future__ import annotations

import logging

import pytest

from siocluster.bus.message import CLOSE, DISCONNECT, ENTER, LEAVE, Head, Message
from tests.unit.bus.heard import AGORA, EPOCH, FORUM, World, got, message


@pytest.fixture
def world() -> World:
    return World()


def take(world: World, *messages: Message) -> None:
    for each in messages:
        world.delivery.take(each)


# To whom


def test_members_of_the_room_get_it_and_nobody_else(world: World) -> None:
    world.client("Ann", AGORA)
    world.client("Bob", FORUM)
    world.client("Cyd", AGORA)
    take(world, message(1, AGORA))
    assert got(world) == ["Ann 1", "Cyd 1"]


def test_member_of_several_of_its_rooms_gets_it_once(world: World) -> None:
    world.client("Ann", AGORA, FORUM)
    take(world, message(1, AGORA, FORUM), message(1, AGORA, FORUM))
    assert got(world) == ["Ann 1"]


def test_sid_is_reached_without_a_channel(world: World) -> None:
    world.client("Ann")
    take(world, message(1, "s:Ann"), message(2, "s:nobody"))
    assert got(world) == ["Ann 1"]


def test_those_to_be_skipped_are_skipped(world: World) -> None:
    world.client("Ann", AGORA)
    world.client("Bob", AGORA)
    take(world, message(1, AGORA, skip=("Ann", "nobody")))
    assert got(world) == ["Bob 1"]


def test_client_of_another_namespace_gets_nothing(world: World) -> None:
    world.client("Ann", namespace="/news")
    take(world, message(1, "s:Ann"))
    assert got(world) == []


def test_muted_client_gets_nothing_any_more(world: World) -> None:
    world.client("Ann", AGORA).mute = True
    take(world, message(1, AGORA))
    assert got(world) == []


def test_member_gets_nothing_from_before_it_joined(world: World) -> None:
    ann = world.client("Ann", AGORA, since=2)
    world.client("Bob", AGORA, since=0)
    take(world, message(2, AGORA), message(3, AGORA, previous=2))
    assert got(world) == ["Bob 2", "Ann 3", "Bob 3"]
    world.channels.get(AGORA).members[ann] = None  # type: ignore[union-attr]
    take(world, message(4, AGORA, previous=3))
    assert got(world)[3:] == ["Bob 4"]


def test_client_with_recovery_gets_positions_and_one_asked_gets_none(world: World) -> None:
    world.client("Ann", AGORA, pid="secret")
    world.client("Bob", AGORA)
    take(world, message(1, AGORA), message(2, AGORA, previous=None, callback=("b", "r", "/", 1)))
    assert got(world) == ["Ann 1@", "Bob 1", "Ann 2?", "Bob 2?"]


def test_what_comes_during_a_replay_is_kept_for_the_client(world: World) -> None:
    ann = world.client("Ann", AGORA)
    ann.held = []
    world.client("Bob", AGORA)
    take(world, message(1, AGORA), message(2, AGORA, previous=1))
    assert got(world) == ["Bob 1", "Bob 2"]
    assert [packet.data for packet in ann.held] == ["1", "2"]


def test_controls_reach_the_client_and_a_close_its_room(world: World) -> None:
    world.client("Ann", AGORA)
    kinds = (ENTER, LEAVE, DISCONNECT)
    take(world, *(message(at + 1, "s:Ann", kind=kind) for at, kind in enumerate(kinds)))
    take(world, message(4, AGORA, kind=CLOSE), message(5, FORUM, kind=CLOSE))
    assert world.told == ["enter Ann", "leave Ann", "disconnect Ann", f"close {AGORA}"]


def test_message_that_cannot_be_delivered_is_logged_and_ends_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.client("Ann", AGORA)
    with caplog.at_level(logging.ERROR):
        take(world, Message(1, EPOCH, Head(targets=(5,))))  # type: ignore[arg-type]
    take(world, message(2, AGORA))
    assert "could not be delivered" in caplog.text
    assert got(world) == ["Ann 2"]


# Once, and in order


def test_message_that_comes_by_reply_and_by_channel_is_delivered_once(world: World) -> None:
    world.client("Ann", AGORA)
    take(world, message(1, AGORA), message(1, AGORA), message(2, AGORA, previous=1))
    take(world, message(1, AGORA))
    assert got(world) == ["Ann 1", "Ann 2"]


def test_number_that_redis_names_is_behind_us_from_then_on(world: World) -> None:
    world.client("Ann", AGORA)
    world.delivery.reached(5, EPOCH)
    take(world, message(5, AGORA), message(6, AGORA))
    assert got(world) == ["Ann 6"]


# Gaps


def test_number_that_does_not_fit_holds_all_and_tells(world: World) -> None:
    world.client("Ann", AGORA, FORUM)
    take(world, message(1, AGORA), message(5, AGORA, previous=3), message(6, FORUM))
    assert got(world) == ["Ann 1"]
    assert world.told == ["gap"]
    world.delivery.release([message(3, AGORA)])
    assert got(world) == ["Ann 1", "Ann 3", "Ann 5", "Ann 6"]


def test_gap_in_a_room_without_members_here_is_none(world: World) -> None:
    take(world, message(1, AGORA), message(9, AGORA, previous=8))
    assert world.told == []


def test_first_message_of_a_channel_is_no_gap_whatever_was_before(world: World) -> None:
    world.client("Ann", AGORA)
    take(world, message(9, AGORA, previous=8))
    assert (got(world), world.told) == (["Ann 9"], [])


def test_log_that_has_expired_meanwhile_is_no_gap(world: World) -> None:
    world.client("Ann", AGORA)
    take(world, message(1, AGORA), message(9, AGORA, previous=0))
    assert (got(world), world.told) == (["Ann 1", "Ann 9"], [])


def test_unstored_message_neither_has_a_gap_nor_makes_one(world: World) -> None:
    world.client("Ann", AGORA)
    take(world, message(1, AGORA), message(7, AGORA, previous=None))
    take(world, message(8, AGORA, previous=1))
    assert (got(world), world.told) == (["Ann 1", "Ann 7", "Ann 8"], [])


def test_gap_in_the_chain_of_the_place_is_noticed(world: World) -> None:
    world.client("Ann")
    take(world, message(1, "s:Ann", chain=0), message(2, "s:Ann", chain=1))
    take(world, message(9, "s:Ann", chain=7))
    assert (got(world), world.told) == (["Ann 1", "Ann 2"], ["gap"])


def test_gap_in_any_of_several_rooms_counts(world: World) -> None:
    world.client("Ann", AGORA, FORUM)
    take(world, message(1, AGORA, FORUM), message(5, AGORA, FORUM, previous=(1, 4)))
    assert world.told == ["gap"]


# Holding and letting go


def test_nothing_is_delivered_while_held_and_all_by_number_after(world: World) -> None:
    world.client("Ann", AGORA)
    world.delivery.hold()
    take(world, message(4, AGORA, previous=3), message(6, AGORA, previous=4))
    world.delivery.reached(9, EPOCH)
    assert got(world) == []
    world.delivery.release([message(5, FORUM), message(3, AGORA), message(4, AGORA)])
    assert got(world) == ["Ann 3", "Ann 4", "Ann 6"]
    assert world.delivery.held is None


def test_action_runs_at_once_and_while_held_keeps_its_place(world: World) -> None:
    world.client("Ann", AGORA)
    world.delivery.after(lambda: world.got.append(("ack", 0)))
    world.delivery.hold()
    take(world, message(2, AGORA))
    world.delivery.after(lambda: world.got.append(("ack", 2)))
    take(world, message(3, AGORA, previous=2))
    world.delivery.release([message(1, AGORA)])
    assert got(world) == ["ack 0", "Ann 1", "Ann 2", "ack 2", "Ann 3"]


def test_message_that_holds_again_keeps_the_rest_in_order(world: World) -> None:
    """One that puts a client into a room does so: its log has to be read first."""
    world.client("Ann", AGORA)
    world.delivery.hold()
    take(world, message(2, AGORA, previous=0))
    world.delivery.after(world.delivery.hold)
    world.delivery.after(lambda: world.got.append(("ack", 3)))
    take(world, message(4, AGORA, previous=2))
    world.delivery.release([])
    assert got(world) == ["Ann 2"]
    world.delivery.release([message(3, FORUM)])
    assert got(world) == ["Ann 2", "ack 3", "Ann 4"]


# Another epoch


def test_another_epoch_is_told_once_and_counts_anew(world: World) -> None:
    world.client("Ann", AGORA)
    take(world, message(100, AGORA))
    take(world, message(7, AGORA, previous=3, epoch="epoch111"))
    take(world, message(8, AGORA, previous=7, epoch="epoch111"))
    assert (world.told, got(world)) == (["epoch"], ["Ann 100", "Ann 7", "Ann 8"])
    assert (world.delivery.epoch, world.delivery.high) == ("epoch111", 8)


def test_first_epoch_of_all_is_nobody_s_loss(world: World) -> None:
    world.delivery.reached(5, EPOCH)
    take(world, message(6, AGORA))
    assert world.told == []
