"""Addresses and keys: no two rooms share one, and none can be mistaken for another's."""

from __future__ import annotations

from collections.abc import Hashable

import pytest

from siocluster.bus.names import (
    Names,
    address,
    is_sid,
    namespace_address,
    room_address,
)

SID = "a0-" + "Zz_-9" * 4
ROOMS: list[Hashable] = [
    *("42", 42, -1, 0.5, "", " ", "agora", "Agora", "a,b", 'a"b', "a\\b", "a\nb", "☂", "\u202e"),
    *("{tag}", "*", "x" * 199, "x" * 200, "x" * 201, "x" * 10_000, "\ud800", "\x00", "#", "a0-x"),
]


def test_no_two_rooms_share_an_address() -> None:
    addresses = [room_address("/", room) for room in ROOMS]
    addresses += [room_address("/other", room) for room in ROOMS]
    assert len(set(addresses)) == 2 * len(ROOMS)


def test_room_of_one_namespace_is_never_that_of_another() -> None:
    pairs = [("/a", "b"), ("/a,b", ""), ("/", "a,b"), ("/a,", "b")]
    assert len({room_address(*pair) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize("room", ROOMS, ids=ascii)
def test_address_is_short_printable_and_without_white_space(room: Hashable) -> None:
    found = room_address("/", room)
    assert found.isascii() and found.isprintable()
    assert " " not in found
    assert len(found) < 1300


def test_rooms_that_one_dict_would_not_tell_apart_are_one_room() -> None:
    assert room_address("/", 1) == room_address("/", True) == room_address("/", 1.0)
    assert room_address("/", 1) != room_address("/", "1")


@pytest.mark.parametrize("room", [("a", "b"), frozenset(), b"bytes", object()], ids=repr)
def test_room_that_no_stock_worker_could_send_is_refused(room: Hashable) -> None:
    with pytest.raises(TypeError, match="a text or a number"):
        room_address("/", room)


@pytest.mark.parametrize("room", [float("nan"), float("inf")], ids=repr)
def test_number_that_is_none_is_refused(room: float) -> None:
    with pytest.raises(TypeError, match="a text or a number"):
        room_address("/", room)


def test_name_in_the_form_of_a_sid_is_a_sid_everywhere() -> None:
    assert is_sid(SID)
    assert address("/", SID) == address("/other", SID) == f"s:{SID}"


@pytest.mark.parametrize(
    "room", ["a0-short", SID + "x", SID[:-1], "A" + SID[1:], "00-" + SID[3:], 42, SID + "\n", ""]
)
def test_any_other_name_is_a_room(room: Hashable) -> None:
    assert not is_sid(room)
    assert address("/", room).startswith("r:/,")


def test_nobody_named_is_everybody_of_the_namespace() -> None:
    assert address("/news", None) == namespace_address("/news") == "n:/news"


def test_all_keys_and_channels_share_one_hash_tag() -> None:
    names = Names("siocluster:shop")
    found = [names.log("x"), names.channel("x"), names.place("a0"), names.worker("b")]
    assert len(set(found)) == 4
    assert all(name.startswith("{siocluster:shop}:") for name in found)
