"""The backend in memory: what the API promises, in one process, under a real python-socketio."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import flask
import flask_socketio
import pytest
import socketio
from flask_socketio import SocketIO, SocketIOTestClient, close_room, emit, join_room, leave_room

from siocluster import cluster, rooms
from siocluster.bus import alone_log, backend
from siocluster.bus.alone import Alone
from siocluster.bus.alone_app import Tap
from siocluster.bus.alone_people import Announcer
from siocluster.bus.positions import Position
from siocluster.rooms import Person
from tests.integration.app_server import ROOT, RunningApp, start_stock
from tests.integration.client import SECONDS, client_at
from tests.integration.waiting import SCALE, wait_until

START = 1_700_000_000.0
DAY = 86400.0


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class World:
    """An app that does in its handlers what a test says, on a backend of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.app = flask.Flask(__name__)
        self.app.add_url_rule("/", view_func=lambda: "hello")
        self.socketio = SocketIO(self.app, async_mode="threading", logger=False)
        self.alone = Alone(joined=backend.joined, left=backend.left, clock=self.clock)
        self._function: Callable[[], Any] = lambda: None
        self._result: Any = None
        for namespace in ("/", "/chat"):
            self.socketio.on_event("act", self._act, namespace=namespace)

    def _act(self) -> None:
        self._result = self._function()

    def client(self, *joins: rooms.Room, namespace: str = "/") -> SocketIOTestClient:
        client = self.socketio.test_client(self.app, namespace=namespace)
        self.act(client, lambda: None, namespace=namespace)
        for room in joins:
            self.act(client, lambda room=room: join_room(room), namespace=namespace)
        client.get_received(namespace)
        return client

    def act(
        self, client: SocketIOTestClient, function: Callable[[], Any], namespace: str = "/"
    ) -> Any:
        """Do it in a handler of this client's."""
        self._function = function
        client.emit("act", namespace=namespace)
        return self._result

    def arrive(
        self, client: SocketIOTestClient, room: rooms.Room, id: str, data: Any = None
    ) -> None:
        self.act(client, lambda: (join_room(room), rooms.arrive(room, id, data)))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("joined", "left", "timers"):
        monkeypatch.setattr(backend, name, [])
    world = World()
    monkeypatch.setattr(backend, "_current", world.alone)
    yield world
    world.alone.close()


def say(room: rooms.Room = "lobby", text: str = "x", **more: Any) -> str:
    return rooms.store("message", {"text": text}, room, **more)


def texts(events: Any) -> list[str]:
    return [event.args[0]["text"] for event in events]


# What is stored


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


# People


@pytest.fixture
def told(world: World) -> list[tuple[str, rooms.Room, Person]]:
    """What on_joined and on_left were told, in order."""
    told: list[tuple[str, rooms.Room, Person]] = []
    rooms.on_joined(lambda room, person: told.append(("joined", room, person)))
    rooms.on_left(lambda room, person: told.append(("left", room, person)))
    return told


def wait_for(told: list[Any], *expected: Any) -> None:
    wait_until(
        lambda: len(told) >= len(expected), words=f"{expected}, of {told}", seconds=5 * SCALE
    )
    assert told == [*expected]


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


# The app


def test_before_an_app_was_seen_an_emit_says_what_to_do(world: World) -> None:
    with pytest.raises(RuntimeError, match=re.escape("with app.app_context():")):
        say()


def test_within_an_app_context_the_app_is_known(world: World) -> None:
    with world.app.app_context():
        position = say()
    assert rooms.history("lobby")[0].position == position


def test_an_app_seen_once_is_known_outside_its_contexts(world: World) -> None:
    world.app.test_client().get("/")
    client = world.client("lobby")
    thread = threading.Thread(target=say)
    thread.start()
    thread.join()
    assert len(client.get_received()) == 1


def test_an_app_without_socketio_is_not_taken_for_one(world: World) -> None:
    with flask.Flask("plain").app_context(), pytest.raises(RuntimeError, match="has not seen"):
        say()


def test_a_connection_without_cluster_was_never_recovered(world: World) -> None:
    assert world.act(world.client(), rooms.recovered) is False


def test_closed_it_keeps_and_tells_nothing_more(world: World, told: list[Any]) -> None:
    client = world.client()
    world.arrive(client, "lobby", "bob")
    wait_for(told, ("joined", "lobby", BOB))
    world.alone.close()
    world.socketio.emit("message", {"text": "x"}, to="lobby")
    client.disconnect()
    assert rooms.history("lobby") == []
    assert len(told) == 1


def test_a_tap_that_is_undone_leaves_the_client_manager_as_it_was() -> None:
    manager = socketio.Server(async_mode="threading").manager
    stock = manager.emit, manager.basic_leave_room
    tap = Tap(manager, emit=lambda *_, **__: None, left=lambda *_: None)
    assert stock != (manager.emit, manager.basic_leave_room)
    tap.undo()
    assert stock == (manager.emit, manager.basic_leave_room)


def test_a_tap_under_another_one_is_not_undone() -> None:
    manager = socketio.Server(async_mode="threading").manager
    below = Tap(manager, emit=lambda *_, **__: None, left=lambda *_: None)
    Tap(manager, emit=lambda *_, **__: None, left=lambda *_: None)
    above = manager.emit
    below.undo()
    assert manager.emit == above


def test_a_client_manager_that_replaced_another_is_watched_too(
    world: World, told: list[Any]
) -> None:
    world.arrive(world.client(), "lobby", "ada", {"name": "Ada"})
    manager = socketio.Manager()
    manager.set_server(world.socketio.server)
    world.socketio.server.manager = manager
    client = world.client()
    world.arrive(client, "hall", "bob")
    client.disconnect()
    wait_for(told, ("joined", "lobby", ADA), ("joined", "hall", BOB), ("left", "hall", BOB))


# Timers


def test_a_timer_waits_for_the_app_to_serve(world: World) -> None:
    ran: list[int] = []
    cluster.every(0.001)(lambda: ran.append(1))
    with world.app.app_context():
        assert not world.alone._serves
    world.app.test_client().get("/")
    wait_until(lambda: len(ran) >= 3, words="three runs", seconds=5 * SCALE)


def test_a_first_event_starts_the_timers_too(world: World) -> None:
    ran: list[int] = []
    cluster.every(0.001)(lambda: ran.append(1))
    world.client()
    wait_until(lambda: ran, words="a run", seconds=5 * SCALE)


def test_a_timer_registered_later_runs_too_and_each_only_once(world: World) -> None:
    world.app.test_client().get("/")
    started: list[Any] = []
    world.socketio.start_background_task = started.append
    cluster.every(60)(lambda: None)
    world.app.test_client().get("/")
    assert len(started) == 1


def test_a_timer_that_fails_is_logged_and_goes_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[int] = []

    @cluster.every(0.001)
    def fails() -> None:
        runs.append(1)
        raise LookupError("the app's own mistake")

    with caplog.at_level(logging.ERROR):
        world.app.test_client().get("/")
        wait_until(lambda: len(runs) >= 2, words="a second run", seconds=5 * SCALE)
    assert "the app's own mistake" in caplog.text


def test_an_installed_backend_ends_the_timers_of_the_one_before(world: World) -> None:
    ran: list[int] = []
    cluster.every(0.001)(lambda: ran.append(1))
    world.alone.close()
    world.app.test_client().get("/")
    assert not world.alone._serves
    assert ran == []


# Under socketio.run(), in each mode

SCRIPT = """
import os, sys
mode = sys.argv[1]
if mode == "patched":
    from gevent import monkey
    monkey.patch_all()
from flask import Flask, request
from flask_socketio import SocketIO, join_room
from siocluster import cluster, rooms

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading" if mode == "threading" else "gevent")

@socketio.on("join")
def join(name):
    join_room("lobby")
    rooms.arrive("lobby", name)
    return [event.args[0]["text"] for event in rooms.history("lobby") if event.event == "message"]

@socketio.on("say")
def say(text, message_id):
    return rooms.store("message", {"text": text}, "lobby", message_id=message_id)

@socketio.on("who")
def who():
    return [person.id for person in rooms.members("lobby")], rooms.state(), rooms.recovered()

@rooms.on_joined
def joined(room, person):
    socketio.emit("joined", person.id, to=room)

@rooms.on_left
def left(room, person):
    socketio.emit("left", person.id, to=room)

@cluster.every(0.05)
def tick():
    print("tick", "leader" if cluster.is_leader() else "no leader", flush=True)

if __name__ == "__main__":
    options = {"allow_unsafe_werkzeug": True} if mode == "threading" else {}
    debug = "--debug" in sys.argv
    socketio.run(app, port=int(os.environ["PORT"]), debug=debug, use_reloader=debug, **options)
"""


@pytest.fixture(params=["threading", "gevent", "patched"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningApp]:
    script = tmp_path / "app.py"
    script.write_text(SCRIPT)
    environ = {"PYTHONPATH": str(ROOT)}
    with start_stock([str(script), request.param], folder=tmp_path, environ=environ) as app:
        yield app


def port_of(app: RunningApp) -> int:
    return int(app.environ["PORT"])


def test_under_a_plain_run_all_of_it_works(running: RunningApp) -> None:
    received: list[Any] = []
    with client_at(port_of(running)) as ada, client_at(port_of(running)) as bob:
        for event in ("joined", "left", "message"):
            ada.on(event, lambda data, event=event: received.append((event, data)))
        assert ada.call("join", "ada", timeout=SECONDS) == []
        position = bob.call("say", ("hello", "m1"), timeout=SECONDS)
        assert bob.call("say", ("hello", "m1"), timeout=SECONDS) == position
        assert bob.call("join", "bob", timeout=SECONDS) == ["hello"]
        assert bob.call("who", timeout=SECONDS) == (["ada", "bob"], "alone", False)
        bob.disconnect()
        expected = [
            ("joined", "ada"),
            ("message", {"text": "hello", "position": position}),
            ("joined", "bob"),
            ("left", "bob"),
        ]
        wait_until(lambda: len(received) >= 4, words=f"all of it, of {received}", log=running.log)
        assert sorted(received, key=repr) == sorted(expected, key=repr)
        assert ada.call("who", timeout=SECONDS)[0] == ["ada"]
    assert "Traceback" not in running.log()


def test_under_a_plain_run_timers_begin_before_anyone_has_come(running: RunningApp) -> None:
    wait_until(lambda: running.log().count("tick leader") > 2, words="ticks", log=running.log)


def test_the_parent_of_a_reloader_runs_no_timer(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(SCRIPT.replace('print("tick",', 'print("tick", os.getppid(),'))
    environ = {"PYTHONPATH": str(ROOT)}
    arguments = [str(script), "threading", "--debug"]
    with start_stock(arguments, folder=tmp_path, environ=environ) as app:
        ticks = re.compile(r"tick (\d+) leader")
        wait_until(lambda: len(ticks.findall(app.log())) > 5, words="ticks", log=app.log)
        assert set(ticks.findall(app.log())) == {str(app.process.pid)}
