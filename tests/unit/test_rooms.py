"""The API an app uses: what it hands on, what it refuses, and whom it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest

from siocluster import cluster, rooms
from siocluster.bus import backend
from siocluster.bus.positions import Position
from siocluster.bus.values import Timer

POSITION = "7-k3f9ab2c"


class Recorder:
    """A backend that notes what it was asked, and answers what it was given."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.started: list[Timer] = []
        self.closed = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*arguments: Any, **named: Any) -> Any:
            self.asked.append((name, arguments, named))
            return self.answer

        return ask

    def start(self, timer: Timer) -> None:
        self.started.append(timer)

    def close(self) -> None:
        self.closed = True

    def last(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return self.asked[-1]


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Installed in a clean registry; all is put back afterwards."""
    for name in ("joined", "left", "timers"):
        monkeypatch.setattr(backend, name, [])
    recorder = Recorder()
    monkeypatch.setattr(backend, "_current", recorder)
    yield recorder


def in_a_handler(*, sid: str = "s1", namespace: str = "/") -> flask.ctx.RequestContext:
    """A request as Flask-SocketIO makes it for a handler."""
    context = flask.Flask(__name__).test_request_context()
    context.request.sid = sid  # type: ignore[attr-defined]
    context.request.namespace = namespace  # type: ignore[attr-defined]
    return context


# Each call of the API that takes a room, with all else in order.
CALLS: dict[str, Callable[..., Any]] = {
    "history": lambda room, **more: rooms.history(room, **more),
    "missed": lambda room, **more: rooms.missed(room, after=POSITION, **more),
    "store": lambda room, **more: rooms.store("message", {}, room, **more),
    "keep": lambda room, **more: rooms.keep(room, **more),
    "members": lambda room, **more: rooms.members(room, **more),
    "arrive": lambda room, **more: rooms.arrive(room, "ada", **more),
}
every_call = pytest.mark.parametrize("name", CALLS)


@every_call
@pytest.mark.parametrize("room", ["lobby", 42, 0, -1, "r:*{}\n\x00", "x" * 10_000, "房间", 10**30])
def test_any_text_and_any_int_names_a_room(bus: Recorder, name: str, room: rooms.Room) -> None:
    with in_a_handler():
        CALLS[name](room)
    asked, arguments, _ = bus.last()
    assert asked == name
    assert room in arguments


@every_call
@pytest.mark.parametrize("room", [None, True, 1.5, b"lobby", ["lobby"], {}, object()])
def test_a_room_of_another_type_is_refused(bus: Recorder, name: str, room: Any) -> None:
    with in_a_handler(), pytest.raises(TypeError, match="room must be text or an int"):
        CALLS[name](room)
    assert not bus.asked


@every_call
@pytest.mark.parametrize("room", ["", "\ud800"])
def test_a_room_that_cannot_be_named_is_refused(bus: Recorder, name: str, room: str) -> None:
    with in_a_handler(), pytest.raises(ValueError, match="room"):
        CALLS[name](room)
    assert not bus.asked


@every_call
@pytest.mark.parametrize("namespace", ["", "chat", "\x00", "/\udfff"])
def test_a_namespace_begins_with_a_slash(bus: Recorder, name: str, namespace: str) -> None:
    with in_a_handler(), pytest.raises(ValueError, match="namespace"):
        CALLS[name]("lobby", namespace=namespace)
    assert not bus.asked


@every_call
@pytest.mark.parametrize("namespace", [7, b"/", ["/"]])
def test_a_namespace_is_text(bus: Recorder, name: str, namespace: Any) -> None:
    with in_a_handler(), pytest.raises(TypeError, match="namespace must be text"):
        CALLS[name]("lobby", namespace=namespace)
    assert not bus.asked


@every_call
def test_the_namespace_is_handed_on(bus: Recorder, name: str) -> None:
    with in_a_handler(namespace="/chat"):
        CALLS[name]("lobby", namespace="/chat")
    assert bus.last()[2]["namespace"] == "/chat"


# history and missed


def test_positions_reach_the_backend_parsed(bus: Recorder) -> None:
    rooms.history("lobby", before=POSITION, limit=3)
    assert bus.last()[2] == {"before": Position(7, "k3f9ab2c"), "limit": 3, "namespace": "/"}
    rooms.missed("lobby", after=POSITION)
    assert bus.last()[2] == {"after": Position(7, "k3f9ab2c"), "limit": 1000, "namespace": "/"}


def test_history_without_before_asks_for_the_last_fifty(bus: Recorder) -> None:
    rooms.history("lobby")
    assert bus.last()[2] == {"before": None, "limit": 50, "namespace": "/"}


@pytest.mark.parametrize("position", ["", "x", -1, 1.5, "-1-k3f9ab2c", b"7-k3f9ab2c", {}, []])
def test_what_is_no_position_is_refused_before_the_backend_is_asked(
    bus: Recorder, position: Any
) -> None:
    with pytest.raises(rooms.InvalidPosition):
        rooms.history("lobby", before=position)
    with pytest.raises(rooms.InvalidPosition):
        rooms.missed("lobby", after=position)
    assert not bus.asked


def test_missed_wants_a_position(bus: Recorder) -> None:
    with pytest.raises(rooms.InvalidPosition):
        rooms.missed("lobby", after=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["history", "missed"])
@pytest.mark.parametrize("limit", [0, -1, 1001, 10**30])
def test_a_limit_is_1_to_1000(bus: Recorder, name: str, limit: int) -> None:
    with pytest.raises(ValueError, match="limit must be 1 to 1000"):
        CALLS[name]("lobby", limit=limit)


@pytest.mark.parametrize("name", ["history", "missed"])
@pytest.mark.parametrize("limit", ["50", 1.0, True, None, float("nan")])
def test_a_limit_is_an_int(bus: Recorder, name: str, limit: Any) -> None:
    with pytest.raises(TypeError, match="limit must be an int"):
        CALLS[name]("lobby", limit=limit)


# store


def test_store_hands_on_a_copy_and_gives_the_position(bus: Recorder) -> None:
    bus.answer = POSITION
    data = {"text": "hello", "tags": ["a"], "blob": bytearray(b"\x00\xff")}
    assert rooms.store("message", data, "lobby", message_id="m1", skip_sid="s9") == POSITION
    name, (event, handed_on, room), named = bus.last()
    data["tags"] = None
    assert (name, event, room) == ("store", "message", "lobby")
    assert handed_on == {"text": "hello", "tags": ["a"], "blob": b"\x00\xff"}
    assert named == {"message_id": "m1", "namespace": "/", "skip_sids": ("s9",)}


def test_a_tuple_stays_several_arguments_and_within_data_it_is_a_list(bus: Recorder) -> None:
    rooms.store("message", ("a", (1, 2)), "lobby")
    assert bus.last()[1][1] == ("a", [1, 2])


@pytest.mark.parametrize("data", [None, "", 0, False, 1.5, b"", [], {}, ()])
def test_empty_data_is_data(bus: Recorder, data: Any) -> None:
    rooms.store("message", data, "lobby")
    handed_on = bus.last()[1][1]
    assert handed_on == data
    assert type(handed_on) is type(data)


@pytest.mark.parametrize(
    ("data", "spot"),
    [
        ({"when": object()}, r"data\['when'\] is of type object"),
        ({"a": [1, {2, 3}]}, r"data\['a'\]\[1\] is of type set"),
        ({1: "x"}, "data has the key 1"),
        ({None: "x"}, "data has the key None"),
        (lambda: 0, "data is of type function"),
        ((1, object()), r"data\[1\] is of type object"),
    ],
)
def test_data_that_no_client_could_take_is_named_by_its_spot(
    bus: Recorder, data: Any, spot: str
) -> None:
    with pytest.raises(TypeError, match=spot):
        rooms.store("message", data, "lobby")
    assert not bus.asked


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_has_no_word_for_are_refused(bus: Recorder, number: float) -> None:
    with pytest.raises(ValueError, match=r"data\['x'\]"):
        rooms.store("message", {"x": number}, "lobby")


def test_data_that_contains_itself_is_refused(bus: Recorder) -> None:
    data: list[Any] = []
    data.append(data)
    with pytest.raises(ValueError, match="contains itself"):
        rooms.store("message", data, "lobby")


@pytest.mark.parametrize("message_id", ["", "x" * 201, "\ud800"])
def test_a_message_id_has_1_to_200_characters(bus: Recorder, message_id: str) -> None:
    with pytest.raises(ValueError, match="message_id"):
        rooms.store("message", {}, "lobby", message_id=message_id)


@pytest.mark.parametrize("message_id", [1, b"m", ["m"], True])
def test_a_message_id_is_text(bus: Recorder, message_id: Any) -> None:
    with pytest.raises(TypeError, match="message_id must be text"):
        rooms.store("message", {}, "lobby", message_id=message_id)


@pytest.mark.parametrize("message_id", ["m", "x" * 200, "\x00", "ü"])
def test_message_ids_at_the_bounds_are_taken(bus: Recorder, message_id: str) -> None:
    rooms.store("message", {}, "lobby", message_id=message_id)
    assert bus.last()[2]["message_id"] == message_id


@pytest.mark.parametrize(("event", "error"), [(None, TypeError), (1, TypeError), ("", ValueError)])
def test_an_event_has_a_name(bus: Recorder, event: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="event"):
        rooms.store(event, {}, "lobby")


@pytest.mark.parametrize(
    ("skip_sid", "sids"), [(None, ()), ("s", ("s",)), (["a", "b"], ("a", "b")), ([], ())]
)
def test_one_sid_or_several_are_left_out(
    bus: Recorder, skip_sid: Any, sids: tuple[str, ...]
) -> None:
    rooms.store("message", {}, "lobby", skip_sid=skip_sid)
    assert bus.last()[2]["skip_sids"] == sids


@pytest.mark.parametrize("skip_sid", [1, b"s", [1], [None], {"s": 1}])
def test_a_sid_to_leave_out_is_text(bus: Recorder, skip_sid: Any) -> None:
    with pytest.raises(TypeError, match="skip_sid"):
        rooms.store("message", {}, "lobby", skip_sid=skip_sid)


# keep


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"events": 0}, ValueError),
        ({"events": -5}, ValueError),
        ({"events": 1_000_001}, ValueError),
        ({"events": 1.5}, TypeError),
        ({"events": True}, TypeError),
        ({"seconds": 0}, ValueError),
        ({"seconds": -1}, ValueError),
        ({"seconds": float("nan")}, ValueError),
        ({"seconds": float("inf")}, ValueError),
        ({"seconds": 10**12}, ValueError),
        ({"seconds": "60"}, TypeError),
        ({"seconds": True}, TypeError),
        ({"seconds": None}, TypeError),
    ],
)
def test_a_room_is_kept_by_positive_numbers(
    bus: Recorder, bad: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error, match=next(iter(bad))):
        rooms.keep("lobby", **bad)
    assert not bus.asked


def test_a_room_is_kept_for_a_day_and_a_thousand_events(bus: Recorder) -> None:
    rooms.keep("lobby")
    assert bus.last() == (
        "keep",
        ("lobby",),
        {"events": 1000, "seconds": 86400.0, "namespace": "/"},
    )


# People


def test_the_client_of_the_request_arrives_in_its_own_namespace(bus: Recorder) -> None:
    with in_a_handler(sid="s7", namespace="/chat"):
        rooms.arrive("lobby", "ada", {"name": "Ada"})
    assert bus.last() == (
        "arrive",
        ("lobby", rooms.Person("ada", {"name": "Ada"})),
        {"sid": "s7", "namespace": "/chat"},
    )


def test_a_client_cannot_arrive_in_another_namespace_than_its_own(bus: Recorder) -> None:
    with in_a_handler(namespace="/chat"), pytest.raises(ValueError, match="is in /chat, not in /"):
        rooms.arrive("lobby", "ada", namespace="/")


@pytest.mark.parametrize("call", [lambda: rooms.arrive("lobby", "ada"), rooms.recovered])
def test_what_is_about_one_client_belongs_into_a_handler(
    bus: Recorder, call: Callable[[], Any]
) -> None:
    with pytest.raises(RuntimeError, match=r"Socket\.IO handler"):
        call()
    # An HTTP request has no Socket.IO client.
    with (
        flask.Flask(__name__).test_request_context(),
        pytest.raises(RuntimeError, match=r"Socket\.IO handler"),
    ):
        call()


@pytest.mark.parametrize(
    ("id", "error"), [("", ValueError), ("x" * 201, ValueError), (7, TypeError), (None, TypeError)]
)
def test_a_person_has_an_id_of_1_to_200_characters(
    bus: Recorder, id: Any, error: type[Exception]
) -> None:
    with in_a_handler(), pytest.raises(error, match="id must"):
        rooms.arrive("lobby", id)


@pytest.mark.parametrize("data", [b"bytes", {"x": b""}, {1, 2}, {1: 2}, object()])
def test_what_is_told_of_a_person_is_json(bus: Recorder, data: Any) -> None:
    with in_a_handler(), pytest.raises(TypeError, match="data"):
        rooms.arrive("lobby", "ada", data)


def test_recovered_asks_about_the_connection_of_the_request(bus: Recorder) -> None:
    bus.answer = True
    with in_a_handler(sid="s7", namespace="/chat"):
        assert rooms.recovered() is True
    assert bus.last() == ("recovered", ("s7",), {"namespace": "/chat"})


# What is registered


def test_functions_are_registered_by_decorators_that_give_them_back(bus: Recorder) -> None:
    def function(room: rooms.Room, person: rooms.Person) -> None: ...

    assert rooms.on_joined(function) is function
    assert rooms.on_left(function) is function
    assert backend.joined == [function]
    assert backend.left == [function]


@pytest.mark.parametrize("register", [rooms.on_joined, rooms.on_left, cluster.every(1)])
@pytest.mark.parametrize("value", [None, "f", 1])
def test_only_functions_are_registered(
    bus: Recorder, register: Callable[[Any], Any], value: Any
) -> None:
    with pytest.raises(TypeError, match="takes a function"):
        register(value)
    assert not backend.joined + backend.left + backend.timers


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 10**10])
def test_a_timer_s_seconds_are_positive_and_finite(bus: Recorder, seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds"):
        cluster.every(seconds)


@pytest.mark.parametrize("seconds", ["1", None, True, [1]])
def test_a_timer_s_seconds_are_a_number(bus: Recorder, seconds: Any) -> None:
    with pytest.raises(TypeError, match="seconds"):
        cluster.every(seconds)


def test_a_timer_without_its_seconds_is_told_how_to_write_it(bus: Recorder) -> None:
    with pytest.raises(TypeError, match=r"@every\(60\)"):

        @cluster.every  # type: ignore[arg-type]
        def forgotten() -> None: ...


def test_an_installed_backend_starts_the_timers_of_before_and_of_after(bus: Recorder) -> None:
    def before() -> None: ...
    def after() -> None: ...

    assert cluster.every(2)(before) is before
    second = Recorder()
    backend.install(second)
    cluster.every(0.5)(after)
    assert second.started == [Timer(before, 2.0), Timer(after, 0.5)]
    assert bus.started == [Timer(before, 2.0)]


def test_an_installed_backend_takes_over_and_the_one_before_is_closed(bus: Recorder) -> None:
    second = Recorder("live")
    backend.install(second)
    assert bus.closed
    assert backend.current() is second
    assert rooms.state() == "live"


def test_a_process_that_installed_nothing_is_alone_and_its_own_leader() -> None:
    assert rooms.state() == "alone"
    assert cluster.is_leader() is True
