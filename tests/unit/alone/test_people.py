"""Who is in a room of a lone process, and what the app is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import flask
import flask_socketio
import pytest
from flask_socketio import SocketIOTestClient, close_room, join_room, leave_room

from siocluster import rooms
from siocluster.bus import backend
from siocluster.bus.alone_people import Announcer
from siocluster.rooms import Person
from tests.integration.waiting import SCALE
from tests.unit.alone.world import World, wait_for

ADA, BOB = Person("ada", {"name": "Ada"}), Person("bob", None)


def test_who_arrived_is_a_member_and_announced(world: World, told: list[Any]) -> None:
    world.arrive(world.client(), "lobby", "ada", {"name": "Ada"})
    world.arrive(world.client(), "lobby", "bob")
    assert rooms.members("lobby") == [ADA, BOB]
    wait_for(told, ("joined", "lobby", ADA), ("joined", "lobby", BOB))


def test_several_tabs_count_once(world: World, told: list[Any]) -> None:
    tabs = [world.client() for _ in range(3)]
    for tab in tabs:
        world.arrive(tab, "lobby", "ada", {"name": "Ada"})
    tabs[0].disconnect()
    world.act(tabs[1], lambda: leave_room("lobby"))
    assert rooms.members("lobby") == [ADA]
    tabs[2].disconnect()
    assert rooms.members("lobby") == []
    wait_for(told, ("joined", "lobby", ADA), ("left", "lobby", ADA))


WAYS_OUT: dict[str, Callable[[World, SocketIOTestClient], Any]] = {
    "leave_room": lambda world, client: world.act(client, lambda: leave_room("lobby")),
    "close_room in a handler": lambda world, client: world.act(client, lambda: close_room("lobby")),
    "socketio.close_room": lambda world, client: world.socketio.close_room("lobby"),
    "the client disconnects": lambda world, client: client.disconnect(),
    "the server disconnects it": lambda world, client: world.act(client, flask_socketio.disconnect),
    "the transport ends": lambda world, client: world.socketio.server._handle_eio_disconnect(
        client.eio_sid, "transport close"
    ),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_each_way_out_of_a_room_ends_being_there(world: World, told: list[Any], way: str) -> None:
    client = world.client()
    world.arrive(client, "lobby", "ada", {"name": "Ada"})
    WAYS_OUT[way](world, client)
    assert rooms.members("lobby") == []
    wait_for(told, ("joined", "lobby", ADA), ("left", "lobby", ADA))


def test_leaving_one_room_leaves_no_other(world: World) -> None:
    client = world.client()
    for room in ("lobby", "hall", 42, "42"):
        world.arrive(client, room, "bob")
    world.act(client, lambda: leave_room(42))
    assert [rooms.members(room) for room in ("lobby", "hall", 42, "42")] == [
        [BOB],
        [BOB],
        [],
        [BOB],
    ]


def test_in_the_disconnect_handler_the_person_is_still_there(world: World) -> None:
    seen: list[Any] = []
    world.socketio.on_event("disconnect", lambda reason: seen.append(rooms.members("lobby")))
    client = world.client()
    world.arrive(client, "lobby", "bob")
    client.disconnect()
    assert seen == [[BOB]]
    assert rooms.members("lobby") == []


def test_arriving_in_the_connect_handler_works_and_a_refusal_undoes_it(world: World) -> None:
    def connect(auth: Any) -> bool:
        join_room("lobby")
        rooms.arrive("lobby", "bob")
        return flask.request.args.get("refuse") is None

    world.socketio.on_event("connect", connect)
    accepted = world.socketio.test_client(world.app)
    assert rooms.members("lobby") == [BOB]
    accepted.disconnect()
    world.socketio.test_client(world.app, query_string="?refuse=1")
    assert rooms.members("lobby") == []


def test_arriving_again_as_someone_else_ends_being_the_first(world: World, told: list[Any]) -> None:
    client = world.client()
    world.arrive(client, "lobby", "ada", {"name": "Ada"})
    world.arrive(client, "lobby", "bob")
    assert rooms.members("lobby") == [BOB]
    wait_for(told, *[("joined", "lobby", ADA), ("left", "lobby", ADA), ("joined", "lobby", BOB)])


def test_the_data_given_last_counts(world: World, told: list[Any]) -> None:
    first, second = world.client(), world.client()
    world.arrive(first, "lobby", "ada", 1)
    world.arrive(second, "lobby", "ada", 2)
    world.arrive(first, "lobby", "ada", [3])
    rooms.members("lobby")[0].data.append("changed")
    assert rooms.members("lobby") == [Person("ada", [3])]
    wait_for(told, ("joined", "lobby", Person("ada", 1)))


def test_one_who_has_not_joined_the_room_cannot_arrive(world: World) -> None:
    client = world.client()
    with pytest.raises(ValueError, match="call join_room before arrive"):
        world.act(client, lambda: rooms.arrive("lobby", "ada"))


def test_one_who_has_gone_meanwhile_does_not_arrive(world: World, told: list[Any]) -> None:
    world.client()
    world.alone.arrive("lobby", ADA, sid="gone", namespace="/")
    world.alone.arrive("lobby", ADA, sid="gone", namespace="/nowhere")
    assert rooms.members("lobby") == told == []


def test_people_of_two_namespaces_do_not_meet(world: World) -> None:
    client = world.client(namespace="/chat")
    world.act(client, lambda: (join_room("lobby"), rooms.arrive("lobby", "bob")), "/chat")
    assert rooms.members("lobby") == []
    assert rooms.members("lobby", namespace="/chat") == [BOB]


def test_a_thousand_arrivals_and_leaves_leave_nothing_behind(world: World) -> None:
    client = world.client()
    for room in range(1000):
        world.arrive(client, room, "bob")
    client.disconnect()
    people = world.alone._people
    assert people._rooms == {}
    assert people._person_of == {}


def test_functions_are_called_without_a_request_and_may_use_socketio(world: World) -> None:
    seen: list[bool] = []

    @rooms.on_joined
    def greet(room: rooms.Room, person: Person) -> None:
        world.socketio.emit("greeted", person.id, to=room)
        seen.append(flask.has_request_context() or flask.has_app_context())

    client = world.client()
    world.arrive(client, "lobby", "bob")
    wait_for(seen, False)
    (received,) = client.get_received()
    assert received["args"] == ["bob"]


def test_a_function_that_fails_is_logged_and_the_next_is_called(
    world: World, told: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(room: rooms.Room, person: Person) -> None:
        raise LookupError("the app's own mistake")

    backend.joined.insert(0, fails)
    world.arrive(world.client(), "lobby", "bob")
    wait_for(told, ("joined", "lobby", BOB))
    assert "fails" in caplog.text
    assert "the app's own mistake" in caplog.text


def test_a_slow_function_is_not_overtaken_by_what_came_later(world: World) -> None:
    told: list[str] = []
    go_on = threading.Event()

    @rooms.on_joined
    def slow(room: rooms.Room, person: Person) -> None:
        assert go_on.wait(10 * SCALE)
        told.append("joined")

    rooms.on_left(lambda room, person: told.append("left"))
    client = world.client()
    world.arrive(client, "lobby", "bob")
    client.disconnect()
    assert told == []
    go_on.set()
    wait_for(told, "joined", "left")


def test_the_announcer_starts_again_after_it_ran_dry() -> None:
    spawned: list[Callable[[], None]] = []
    told: list[str] = []
    announcer = Announcer(spawn=spawned.append)
    for name in ("a", "b"):
        announcer.announce([lambda room, person: told.append(person.id)], "lobby", Person(name))
    assert len(spawned) == 1
    spawned.pop()()
    announcer.announce([lambda room, person: told.append(person.id)], "lobby", Person("c"))
    spawned.pop()()
    assert told == ["a", "b", "c"]
