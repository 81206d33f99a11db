"""What a lone process stores: received and kept, in one order, and once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import flask
import flask_socketio
import pytest
from flask_socketio import emit

from siocluster import rooms
from siocluster.bus import alone_log
from siocluster.bus.positions import Position
from tests.unit.alone.world import DAY, START, World, say, texts


def test_a_stored_event_reaches_the_room_and_carries_its_position(world: World) -> None:
    speaker, other, stranger = world.client("lobby"), world.client("lobby"), world.client()
    position = world.act(speaker, lambda: say(text="hello"))
    assert Position.parse(position).number == 1
    for client in (speaker, other):
        (received,) = client.get_received()
        assert received["args"] == {"text": "hello", "position": position}
    assert stranger.get_received() == []


def test_history_holds_what_was_received_with_its_time(world: World) -> None:
    world.client()
    position = say(text="hello")
    assert rooms.history("lobby") == [
        rooms.Event(position, "message", ({"text": "hello", "position": position},), START)
    ]


@pytest.mark.parametrize(
    ("data", "args"),
    [
        ("text", ("text",)),
        (None, ()),
        (("a", {"b": 1}), ("a", {"b": 1})),
        (b"\x00\xff", (b"\x00\xff",)),
        ([1, 2], ([1, 2],)),
    ],
)
def test_data_that_is_no_dict_is_stored_as_it_is_received(
    world: World, data: Any, args: tuple[Any, ...]
) -> None:
    client = world.client("lobby")
    rooms.store("thing", data, "lobby")
    (received,) = client.get_received()
    assert tuple(received["args"]) == args
    assert rooms.history("lobby")[0].args == args


def test_an_app_can_change_neither_what_it_stored_nor_what_it_was_given(world: World) -> None:
    world.client()
    data = {"text": "x", "tags": ["a"]}
    rooms.store("message", data, "lobby")
    data["tags"] = "changed"
    rooms.history("lobby")[0].args[0]["tags"].append("b")
    assert rooms.history("lobby")[0].args[0]["tags"] == ["a"]
    assert "position" not in data


def test_a_position_of_the_app_s_own_gives_way(world: World) -> None:
    world.client()
    position = rooms.store("message", {"position": "mine"}, "lobby")
    assert rooms.history("lobby")[0].args == ({"position": position},)


def test_positions_rise_over_all_rooms(world: World) -> None:
    world.client()
    positions = [Position.parse(say(room)) for room in ("a", "b", "a", 42, "42")]
    assert [position.number for position in positions] == [1, 2, 3, 4, 5]
    assert len({position.epoch for position in positions}) == 1


def test_rooms_keep_their_type_and_their_namespace(world: World) -> None:
    world.client()
    world.client(namespace="/chat")
    say(42, "int")
    say("42", "text")
    say("42", "other", namespace="/chat")
    assert texts(rooms.history(42)) == ["int"]
    assert texts(rooms.history("42")) == ["text"]
    assert texts(rooms.history("42", namespace="/chat")) == ["other"]


def test_the_room_0_is_a_room_and_not_everyone(world: World) -> None:
    inside, outside = world.client(0), world.client()
    say(0)
    assert len(inside.get_received()) == 1
    assert outside.get_received() == []


def test_a_sid_that_is_left_out_gets_nothing(world: World) -> None:
    first, second, third = (world.client("lobby") for _ in range(3))
    sids = [world.act(client, lambda: flask.request.sid) for client in (first, second)]
    say(skip_sid=sids)
    say(skip_sid=sids[0])
    assert [len(client.get_received()) for client in (first, second, third)] == [0, 1, 2]


def test_what_two_threads_store_is_received_in_the_order_of_its_numbers(world: World) -> None:
    client = world.client("lobby")
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: say(), range(400)))
    finally:
        sys.setswitchinterval(interval)
    received = [Position.parse(each["args"]["position"]).number for each in client.get_received()]
    assert received == list(range(1, 401))
    assert [
        Position.parse(event.position).number for event in rooms.history("lobby", limit=400)
    ] == received


# What is emitted by the usual ways


def test_what_is_emitted_to_a_room_is_kept_too(world: World) -> None:
    client = world.client("lobby")
    world.act(client, lambda: emit("message", {"text": "by emit"}, to="lobby"))
    world.socketio.emit("message", {"text": "by socketio"}, to="lobby")
    world.socketio.emit("message", {"text": "to two"}, to=["lobby", "hall"])
    assert texts(rooms.history("lobby")) == ["by emit", "by socketio", "to two"]
    assert rooms.history("hall") == rooms.history("lobby")[2:]
    assert len(client.get_received()) == 3


def test_what_is_for_one_client_or_for_all_is_in_no_room(world: World) -> None:
    client = world.client("lobby")
    sid = world.act(client, lambda: flask.request.sid)
    world.socketio.emit("message", "for all")
    world.socketio.emit("message", "for one", to=sid)
    world.socketio.emit("message", "with an ack", to="lobby", callback=lambda: None)
    assert len(client.get_received()) == 3
    assert rooms.history("lobby") == rooms.history(sid) == []


def test_an_emit_that_cannot_be_kept_is_delivered_and_leaves_no_silent_gap(world: World) -> None:
    world.client("lobby")
    before = say()
    # A JSON module of the app's own may take what ours does not.
    with pytest.raises(TypeError):
        world.socketio.emit("message", date(2026, 1, 1), to="lobby")
    assert rooms.missed("lobby", after=before).complete
    world.socketio.emit("message", {1: "a key that JSON would change"}, to="lobby")
    assert not rooms.missed("lobby", after=before).complete
    assert rooms.missed("lobby", after=say()).complete
    assert len(rooms.history("lobby")) == 2


def test_what_cannot_be_sent_has_not_been_stored(world: World) -> None:
    world.client("lobby")

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no way")

    world.socketio.server.packet_class = refuse
    with pytest.raises(OSError):
        say(message_id="m1")
    assert rooms.history("lobby") == []
    world.socketio.server.packet_class = flask_socketio.SocketIO(
        flask.Flask("x")
    ).server.packet_class
    say(message_id="m1")
    assert len(rooms.history("lobby")) == 1


# Message ids


def test_a_message_id_is_stored_and_shown_once(world: World) -> None:
    client = world.client("lobby")
    first = say(message_id="m1")
    assert say(text="again", message_id="m1") == first
    assert len(client.get_received()) == len(rooms.history("lobby")) == 1


def test_a_message_id_belongs_to_its_room_and_namespace(world: World) -> None:
    world.client()
    world.client(namespace="/chat")
    positions = {
        say("a", message_id="m"),
        say("b", message_id="m"),
        say(1, message_id="m"),
        say("1", message_id="m"),
        say("a", message_id="m", namespace="/chat"),
    }
    assert len(positions) == 5


def test_a_message_id_is_known_for_a_day_though_its_event_is_gone(world: World) -> None:
    world.client()
    first = say(message_id="m1")
    world.clock.now += DAY - 1
    assert say(message_id="m1") == first
    assert rooms.history("lobby") == []
    world.clock.now += 2
    assert say(message_id="m1") != first


def test_message_ids_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone_log, "MOST_MESSAGE_IDS", 10)
    world.client()
    first, *_, last = (say(message_id=f"m{number}") for number in range(11))
    assert say(message_id="m10") == last
    assert say(message_id="m0") != first
