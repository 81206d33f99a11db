"""What the chat accepts from a client, and what it says to what it does not."""

from __future__ import annotations

import pytest

from chatapp import rules
from chatapp.rules import History, Join, Refused, Say


def code_of(read: object, *arguments: object, **options: object) -> str:
    assert callable(read)
    with pytest.raises(Refused) as refusal:
        read(*arguments, **options)
    assert str(refusal.value)
    return refusal.value.code


def test_a_room_that_is_not_named_is_the_one_of_the_connection() -> None:
    assert rules.read_say([{"text": "hi"}], roomid="garden").roomid == "garden"
    assert rules.read_say([{"text": "hi", "roomid": "hall"}], roomid="garden").roomid == "hall"
    assert code_of(rules.read_say, [{"text": "hi"}]) == "room_missing"


@pytest.mark.parametrize("roomid", ["", 7, False, ["garden"], {"a": 1}])
def test_a_room_of_the_wrong_kind_is_no_room_and_never_the_connections(roomid: object) -> None:
    fields = {"text": "hi", "roomid": roomid}
    assert code_of(rules.read_say, [fields], roomid="garden") == "room_missing"


@pytest.mark.parametrize(
    ("roomid", "code"),
    [
        ("x" * 10_000, "room_too_long"),
        ("a\x00b", "room_unusable"),
        ("a\r\nPUBLISH b c", "room_unusable"),
        ("half \ud800", "room_unusable"),
        ("a/b", "room_unusable"),
        ("..", "room_unusable"),
    ],
)
def test_a_room_that_cannot_be_is_refused_wherever_it_is_named(roomid: str, code: str) -> None:
    assert code_of(rules.read_join, [{"username": "Ada", "roomid": roomid}]) == code
    assert code_of(rules.read_history, [{"roomid": roomid}]) == code
    assert code_of(rules.read_leave, [{"roomid": roomid}]) == code


@pytest.mark.parametrize("roomid", ["{garden}", "*", "a:b", "花园", "42", "sid-like_ABCDEFGH12"])
def test_a_room_may_have_any_other_name(roomid: str) -> None:
    assert rules.read_leave([{"roomid": roomid}]) == roomid


def test_what_looks_the_same_is_the_same() -> None:
    composed, combined = "caf\u00e9", "cafe\u0301"
    assert rules.read_room(composed) == rules.read_room(f" {combined} ")
    assert rules.read_join([{"username": combined}], roomid="x").username == composed


def test_a_join_is_read() -> None:
    fields = {"username": " Ada ", "roomid": "garden", "key": "a-secret-key"}
    assert rules.read_join([fields]) == Join(roomid="garden", username="Ada", key="a-secret-key")


def test_a_message_id_has_an_older_name() -> None:
    said = Say(roomid="x", text="hi", message_id="m-1")
    assert rules.read_say([{"text": "hi", "id": "m-1"}], roomid="x") == said
    assert rules.read_say([{"text": "hi", "message_id": "m-1"}], roomid="x") == said
    assert rules.read_say([{"text": "hi"}], roomid="x").message_id is None


@pytest.mark.parametrize("message_id", ["", 7, True, ["m"], "a b", "x" * 65, "a:b", "\ud800"])
def test_a_message_id_that_cannot_be_is_refused(message_id: object) -> None:
    assert code_of(rules.read_say, [{"text": "hi", "id": message_id}], roomid="x") == "wrong_shape"


def test_a_page_of_history_is_read() -> None:
    assert rules.read_history([{}], roomid="x") == History(roomid="x", before=None, limit=50)
    fields = {"before": "4711-k3f9ab2c", "limit": 100}
    expected = History(roomid="x", before="4711-k3f9ab2c", limit=100)
    assert rules.read_history([fields], roomid="x") == expected


@pytest.mark.parametrize("limit", [0, -1, 101, 1.5, "50", True, None, float("inf")])
def test_a_page_is_of_1_to_100_messages(limit: object) -> None:
    assert code_of(rules.read_history, [{"limit": limit}], roomid="x") == "wrong_shape"


@pytest.mark.parametrize("before", [4711, -1, True, ["4711-k3f9ab2c"], {}, 1e308])
def test_a_position_is_a_text(before: object) -> None:
    assert code_of(rules.read_history, [{"before": before}], roomid="x") == "position_unusable"


@pytest.mark.parametrize("arguments", [[], [None], ["Ada"], [{}, {}], [[1]]])
def test_every_event_takes_one_object(arguments: list[object]) -> None:
    for read in (rules.read_join, rules.read_say, rules.read_history, rules.read_leave):
        assert code_of(read, arguments, roomid="x") == "wrong_shape"
