"""Each thing that an unchanged app may ask of python-socketio holds over two workers, too."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.apps.checks.puppets import Entry, Order, Puppet, Stage, fence, order, stage
from tests.integration.app_server import APPS, environment, start_redis
from tests.integration.cluster import Cluster, start_cluster
from tests.integration.waiting import SCALE

TARGET = "switchboard.app:app"
SECONDS_FOR_PROGRAM = 20 * SCALE
BYTES = [b"", b"\x00\xff" * 700, "é".encode()]
NESTED = {"parts": [BYTES[0], {"deep": BYTES[1]}], "plain": 1}
STRANGE_ROOMS = {
    "10 kB": "r" * 10_240,
    "glob characters": "a*b?[c-d]\\e",
    "braces of a hash tag": "{room}}{",
    "line ends and spaces": "a b\r\n$5\r\nc\t",
    "NUL and other controls": "\x00\x01\x1f\x7f",
    "a surrogate alone": "half \ud83d of a pair",
    "emoji": "👩‍👩‍👧‍👦 🇩🇪 \ufe0f",
    "bytes of Latin-1": bytes(range(128, 256)).decode("latin-1"),
    "separators": "/:|,;#~\"'",
    "looks like a number": "42",
    "nothing": "",
}


@dataclass(frozen=True, slots=True)
class World:
    """A cluster of two workers, two clients on each, and rooms where nobody was before."""

    cluster: Cluster
    here: Puppet
    near: Puppet
    there: Puppet
    far: Puppet

    @property
    def all(self) -> tuple[Puppet, ...]:
        return self.here, self.near, self.there, self.far

    def room(self, *members: Puppet) -> str:
        """A new room with these members."""
        room = f"room-{uuid.uuid4().hex}"
        for member in members:
            assert member.do(order("join", room)) == [None]
        return room

    def hear(self, *, by: Puppet | None = None) -> dict[str, list[Entry]]:
        """What each has heard up to now, by name; who heard nothing is left out."""
        word = uuid.uuid4().hex
        fence(self.all, by=by or self.here, word=word)
        heard = {puppet.name: said(puppet.log()) for puppet in self.all}
        return {name: entries for name, entries in heard.items() if entries}


def said(log: list[Entry]) -> list[Entry]:
    """The app's own events in a log."""
    return [entry for entry in log if entry[0] not in ("connect", "fence")]


def everyone(entry: Entry, *puppets: Puppet) -> dict[str, list[Entry]]:
    """What `hear` gives where these heard just that."""
    return {puppet.name: [entry] for puppet in puppets}


@contextmanager
def world_of(cluster: Cluster, stage: Stage, **options: object) -> Iterator[World]:
    first, second = (f"http://127.0.0.1:{port}" for port in cluster.worker_ports)
    places = {"here": first, "near": first, "there": second, "far": second}
    yield World(cluster, *(stage.open(name, url, **options) for name, url in places.items()))
    stage.clear()


@pytest.fixture(scope="module")
def the_stage() -> Iterator[Stage]:
    with stage() as the_stage:
        yield the_stage


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with start_redis() as url:
        yield url


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("switchboard") / "journal"


@pytest.fixture(scope="module")
def cluster(redis_url: str, journal: Path) -> Iterator[Cluster]:
    options = ["--redis", redis_url, "--name", "board"]
    environ = {"SWITCHBOARD_JOURNAL": str(journal)}
    with start_cluster(TARGET, options=options, environ=environ) as cluster:
        yield cluster
        assert "Traceback" not in cluster.log()


@pytest.fixture
def world(cluster: Cluster, the_stage: Stage) -> Iterator[World]:
    with world_of(cluster, the_stage) as world:
        yield world


# Who hears an emit


def test_emit_to_a_room_reaches_its_members_on_both_workers(world: World) -> None:
    room = world.room(world.near, world.there)
    world.here.do(order("emit", "news", 1, "two", None, to=room))
    assert world.hear() == everyone(["news", 1, "two", None], world.near, world.there)


def test_emit_without_data_has_no_arguments(world: World) -> None:
    room = world.room(world.near, world.there)
    world.here.do(order("emit", "bell", to=room))
    assert world.hear() == everyone(["bell"], world.near, world.there)


def test_emit_to_rooms_and_sids_mixed_reaches_each_once(world: World) -> None:
    one, two = world.room(world.near, world.there), world.room(world.there, world.here)
    targets = [one, two, world.there.sid, world.far.sid]
    world.here.do(order("emit_several", "news", 1, to=targets))
    assert world.hear() == everyone(["news", 1], *world.all)


def test_emit_to_rooms_without_members_here_reaches_those_elsewhere_once(world: World) -> None:
    one, two = world.room(world.there), world.room(world.there, world.far)
    world.here.do(order("emit_several", "news", 1, to=[one, two, "room of nobody"]))
    assert world.hear() == everyone(["news", 1], world.there, world.far)


def test_emit_to_a_room_leaves_out_the_sids_that_it_names(world: World) -> None:
    room = world.room(*world.all)
    world.here.do(order("emit", "news", 1, to=room, skip_sid=world.far.sid))
    world.here.do(order("emit", "news", 2, to=room, skip_sid=[world.near.sid, world.there.sid]))
    assert world.hear() == {
        "here": [["news", 1], ["news", 2]],
        "near": [["news", 1]],
        "there": [["news", 1]],
        "far": [["news", 2]],
    }


def test_emit_to_several_rooms_leaves_out_the_sids_that_it_names(world: World) -> None:
    one, two = world.room(world.near, world.there), world.room(world.there, world.far)
    world.here.do(order("emit_several", "news", 1, to=[one, two], skip_sid=world.there.sid))
    assert world.hear() == everyone(["news", 1], world.near, world.far)


def test_emit_with_include_self_false_leaves_out_its_sender_alone(world: World) -> None:
    room = world.room(*world.all)
    world.there.do(order("emit", "news", 1, to=room, include_self=False))
    assert world.hear(by=world.there) == everyone(["news", 1], world.here, world.near, world.far)


def test_broadcast_with_include_self_false_leaves_out_its_sender_alone(world: World) -> None:
    world.there.do(order("emit", "news", 1, broadcast=True, include_self=False))
    assert world.hear(by=world.there) == everyone(["news", 1], world.here, world.near, world.far)


def test_emit_to_a_sid_reaches_that_client_alone_on_either_worker(world: World) -> None:
    for target in (world.here, world.near, world.there):
        world.here.do(order("emit", "note", target.name, to=target.sid))
    expected = {name: [["note", name]] for name in ("here", "near", "there")}
    assert world.hear() == expected


def test_emit_to_nobody_in_particular_answers_the_sender_alone(world: World) -> None:
    world.there.do(order("emit", "reply", {"to": "you"}))
    assert world.hear(by=world.there) == everyone(["reply", {"to": "you"}], world.there)


def test_emit_from_outside_a_handler_is_a_broadcast(world: World) -> None:
    world.here.do(order("emit_outside", "tick", 1))
    assert world.hear() == everyone(["tick", 1], *world.all)


def test_broadcast_stays_in_its_namespace(world: World, the_stage: Stage) -> None:
    others = [
        the_stage.open(f"other {number}", f"http://127.0.0.1:{port}", namespace="/other")
        for number, port in enumerate(world.cluster.worker_ports)
    ]
    world.here.do(order("emit", "in root", broadcast=True))
    others[1].do(order("emit", "in other", broadcast=True))
    world.here.do(order("emit", "to other", namespace="/other", broadcast=True))
    fence(others, by=others[1], word=1)
    fence(others, by=others[0], word=2)
    assert world.hear() == everyone(["in root"], *world.all)
    for other in others:
        other.wait("to other")
        assert sorted(said(other.log())) == [["in other"], ["to other"]]


def test_rooms_of_one_name_in_two_namespaces_are_two(world: World, the_stage: Stage) -> None:
    room = world.room(world.near, world.there)
    url = f"http://127.0.0.1:{world.cluster.worker_ports[1]}"
    other = the_stage.open("other", url, namespace="/other")
    other.do(order("join", room))
    other.do(order("emit", "news", "other", to=room))
    world.here.do(order("emit", "news", "root", to=room))
    fence([other], by=other, word=1)
    assert world.hear() == everyone(["news", "root"], world.near, world.there)
    assert said(other.log()) == [["news", "other"]]


# Answers


@pytest.mark.parametrize("target", ["near", "there"])
@pytest.mark.parametrize("answer", [[], ["yes"], [1, {"two": [3]}, None], [b"\x00\xff", [b""]]])
def test_callback_of_an_emit_gets_what_the_client_answered(
    world: World, the_stage: Stage, target: str, answer: list[Any]
) -> None:
    slot = {"near": 0, "there": 1}[target]
    url = f"http://127.0.0.1:{world.cluster.worker_ports[slot]}"
    asked = the_stage.open("asked", url, answer=answer)
    world.here.do(order("ask", "question", "tea?", to=asked.sid))
    world.here.wait("answered")
    assert world.here.heard("answered") == [answer]
    assert asked.heard("question") == [["tea?"]]


@pytest.mark.parametrize("target", ["near", "there"])
def test_call_waits_for_the_answer(world: World, target: str) -> None:
    asked: Puppet = getattr(world, target)
    outcome = world.here.do(order("call", "question", 1, [2], to=asked.sid, timeout=10))
    assert outcome == [[target, 1, [2]]]


def test_two_calls_of_one_client_from_two_workers_get_their_own_answers(
    world: World, the_stage: Stage
) -> None:
    asked = world.far.sid
    asking = [puppet for puppet in world.all for _ in range(5)]
    answers = the_stage.together(
        *(
            {
                "order": "ask",
                "name": puppet.name,
                "args": ["do", [order("call", "question", number, to=asked, timeout=10)]],
            }
            for number, puppet in enumerate(asking)
        )
    )
    assert answers == [[[["far", number]]] for number in range(len(asking))]


def test_call_of_a_client_that_is_silent_or_gone_gives_up(world: World, the_stage: Stage) -> None:
    url = f"http://127.0.0.1:{world.cluster.worker_ports[1]}"
    silent = the_stage.open("silent", url, answer="none")
    gone = the_stage.open("gone", url)
    sids = [silent.sid, gone.sid]
    gone.close()
    calls = [order("call", "question", to=sid, timeout=0.3) for sid in sids]
    assert [outcome["raised"] for outcome in world.here.do(*calls)] == ["TimeoutError"] * 2


# Bytes


@pytest.mark.parametrize("data", [BYTES[1], BYTES, NESTED], ids=["bare", "several", "nested"])
def test_bytes_arrive_as_they_were_sent(world: World, data: object) -> None:
    room = world.room(world.near, world.there)
    world.here.do(order("emit", "file", "name", data, to=room))
    assert world.hear() == everyone(["file", "name", data], world.near, world.there)


def test_bytes_and_text_keep_their_order(world: World) -> None:
    room = world.room(world.near, world.there)
    orders = [order("emit", "part", [b"x" * n, n] if n % 2 else n, to=room) for n in range(40)]
    world.here.do(*orders)
    parts: list[Entry] = [["part", [b"x" * n, n] if n % 2 else n] for n in range(40)]
    assert world.hear() == {"near": parts, "there": parts}


# Rooms


def test_closed_room_reaches_nobody_on_either_worker(world: World) -> None:
    room = world.room(world.near, world.there)
    world.here.do(
        order("emit", "news", "before", to=room),
        order("close", room),
        order("emit", "news", "after", to=room),
    )
    assert world.hear() == everyone(["news", "before"], world.near, world.there)
    assert room not in world.near.do(order("rooms"))[0]
    assert room not in world.there.do(order("rooms"))[0]


def test_room_closed_from_outside_a_handler_can_be_entered_anew(world: World) -> None:
    room = world.room(world.near, world.there)
    world.here.do(order("close_outside", room))
    world.hear()
    world.there.do(order("join", room))
    world.here.do(order("emit", "news", 1, to=room))
    assert world.hear() == everyone(["news", 1], world.there)


@pytest.mark.parametrize("target", ["near", "there"])
def test_client_can_be_put_into_a_room_and_taken_out_from_afar(world: World, target: str) -> None:
    room, puppet = world.room(), getattr(world, target)
    sid = puppet.sid
    world.here.do(order("enter", sid, room), order("emit", "news", 1, to=room))
    assert world.hear() == everyone(["news", 1], puppet)
    assert room in puppet.do(order("rooms"))[0]
    world.here.do(order("quit", sid, room), order("emit", "news", 2, to=room))
    assert world.hear() == everyone(["news", 1], puppet)
    assert room not in puppet.do(order("rooms"))[0]


def test_client_that_left_hears_nothing_more_and_the_others_do(world: World) -> None:
    room = world.room(world.near, world.there, world.far)
    world.there.do(order("leave", room))
    world.here.do(order("emit", "news", 1, to=room))
    assert world.hear() == everyone(["news", 1], world.near, world.far)


def test_room_of_one_worker_moves_to_the_other_with_its_members(world: World) -> None:
    room = world.room(world.near)
    world.near.do(order("leave", room))
    world.there.do(order("join", room))
    world.here.do(order("emit", "news", 1, to=room))
    world.near.do(order("join", room))
    world.there.do(order("emit", "news", 2, to=room))
    assert world.hear(by=world.there) == {
        "there": [["news", 1], ["news", 2]],
        "near": [["news", 2]],
    }


def test_number_and_its_text_are_two_rooms(world: World) -> None:
    world.near.do(order("join", 42))
    world.there.do(order("join", "42"))
    world.far.do(order("join", 42))
    world.here.do(order("emit", "to", "number", to=42), order("emit", "to", "text", to="42"))
    assert world.hear() == {
        "near": [["to", "number"]],
        "there": [["to", "text"]],
        "far": [["to", "number"]],
    }
    assert 42 in world.far.do(order("rooms"))[0]
    assert "42" not in world.far.do(order("rooms"))[0]


def test_number_and_its_text_are_two_rooms_for_close_and_quit(world: World) -> None:
    world.there.do(order("join", 42), order("join", "42"), order("join", 43), order("join", "43"))
    world.here.do(order("close", 42), order("quit", world.there.sid, "43"))
    world.here.do(*(order("emit", "to", room, to=room) for room in (42, "42", 43, "43")))
    assert world.hear() == {"there": [["to", "42"], ["to", 43]]}


@pytest.mark.parametrize("room", STRANGE_ROOMS.values(), ids=STRANGE_ROOMS)
def test_room_may_have_any_name(world: World, room: str) -> None:
    members = (world.near, world.there)
    for member in members:
        assert member.do(order("join", room)) == [None]
    assert room in world.there.do(order("rooms"))[0]
    emitted = world.here.do(
        order("emit_several", "news", 1, to=[room, "another"]),
        order("emit_several", "news", 2, to=[room]),
        order("close", room),
        order("emit_several", "news", 3, to=[room]),
    )
    assert emitted == [None] * 4
    heard: list[Entry] = [["news", 1], ["news", 2]]
    assert world.hear() == {member.name: heard for member in members}


@pytest.mark.parametrize("target", ["near", "there"])
def test_room_of_another_clients_sid_is_refused(world: World, target: str) -> None:
    sid = getattr(world, target).sid
    orders = [order("join", sid), order("enter", world.far.sid, sid)]
    outcomes = world.here.do(*orders[: 1 if target == "near" else 2])
    assert [outcome and outcome["raised"] for outcome in outcomes] == ["ValueError"] * len(outcomes)
    world.here.do(order("emit", "note", 1, to=sid))
    assert world.hear() == everyone(["note", 1], getattr(world, target))


@pytest.mark.parametrize("target", ["near", "there"])
def test_room_of_a_sid_can_not_be_closed(world: World, target: str) -> None:
    puppet: Puppet = getattr(world, target)
    (outcome,) = world.here.do(order("close", puppet.sid))
    assert outcome["raised"] == "ValueError"
    world.here.do(order("emit", "note", 1, to=puppet.sid))
    assert world.hear() == everyone(["note", 1], puppet)


# Disconnects


@pytest.mark.parametrize("slot", [0, 1])
def test_client_disconnected_from_afar_is_told_once_and_its_handler_runs_once(
    world: World, the_stage: Stage, journal: Path, slot: int
) -> None:
    url = f"http://127.0.0.1:{world.cluster.worker_ports[slot]}"
    victim = the_stage.open("victim", url, reconnection=True)
    sid = victim.sid
    room = world.room(victim, world.far)
    goodbye = order("emit", "gone", "victim", to=room, include_self=False)
    victim.do(order("say_goodbye", 0, [goodbye]))
    world.here.do(order("disconnect", sid), order("disconnect", sid))
    victim.wait("disconnect")
    world.far.wait("gone")
    assert said(victim.log()) == [["disconnect", "io server disconnect"]]
    assert world.hear() == everyone(["gone", "victim"], world.far)
    lives = [json.loads(line) for line in journal.read_text().splitlines()]
    told = [(life["what"], life["pid"]) for life in lives if life["sid"] == sid]
    pid = world.cluster.worker_pid(slot)
    assert told == [(what, pid) for what in LIFE]
    assert [life["reason"] for life in lives if life["sid"] == sid and "reason" in life] == [
        "server disconnect"
    ]


LIFE = ["connect", "connected", "disconnect", "disconnected"]


def test_disconnect_in_one_namespace_leaves_the_other_alone(world: World, the_stage: Stage) -> None:
    url = f"http://127.0.0.1:{world.cluster.worker_ports[1]}"
    other = the_stage.open("other", url, namespace="/other")
    world.here.do(order("disconnect", other.sid, namespace="/"))
    world.here.do(order("disconnect", world.there.sid, namespace="/other"))
    fence([other], by=other, word=1)
    assert world.hear() == {}
    world.here.do(order("disconnect", other.sid, namespace="/other"))
    other.wait("disconnect", "io server disconnect")


def test_disconnect_of_nobody_is_nothing(world: World) -> None:
    assert world.here.do(order("disconnect", "a1-nobody"), order("disconnect", "x")) == [None] * 2
    assert world.hear() == {}


def test_emit_to_a_client_that_has_gone_is_nothing(world: World, the_stage: Stage) -> None:
    url = f"http://127.0.0.1:{world.cluster.worker_ports[1]}"
    gone = the_stage.open("gone", url)
    sid = gone.sid
    gone.close()
    assert world.here.do(order("emit", "note", 1, to=sid)) == [None]
    assert world.hear() == {}


# Programs outside


Program = Callable[..., None]


def outside(url: str, *orders: Order, way: str, channel: str = "") -> None:
    """Run the program that has no client of its own, to its end."""
    done = subprocess.run(
        [sys.executable, "outside.py", url, channel, way, json.dumps(as_json(orders))],
        cwd=APPS / "switchboard",
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS_FOR_PROGRAM,
    )
    assert done.returncode == 0, done.stderr


def as_json(orders: Sequence[Order]) -> Any:
    return json.loads(json.dumps(orders, default=lambda data: {"$bytes": data.decode()}))


def outside_emits(world: World, way: str) -> list[Order]:
    """To a room, a sid, all but one, and bytes; numbered in that order."""
    room, key = world.room(world.near, world.there), "to" if way == "flask" else "room"
    return [
        order("emit", "news", 1, namespace="/", **{key: room}),
        order("emit", "news", 2, namespace="/", **{key: world.far.sid}),
        order("emit", "news", 3, namespace="/", skip_sid=world.here.sid),
        order("emit", "news", {"file": b"AP8="}, namespace="/", **{key: room}),
    ]


def heard_from_outside() -> dict[str, list[Entry]]:
    data = {"file": b"\x00\xff"}
    in_room: list[Entry] = [["news", 1], ["news", 3], ["news", data]]
    return {"near": in_room, "there": in_room, "far": [["news", 2], ["news", 3]]}


def check_outside(world: World, url: str, *, way: str, channel: str) -> None:
    orders = outside_emits(world, way)
    outside(url, *orders, way=way, channel=channel)
    for puppet in (world.near, world.there):
        puppet.wait("news", count=3)
    world.far.wait("news", count=2)
    assert world.hear() == heard_from_outside()


@pytest.mark.parametrize("way", ["flask", "socketio"])
def test_program_outside_is_heard_on_the_channel_that_bears_the_clusters_name(
    world: World, redis_url: str, way: str
) -> None:
    check_outside(world, redis_url, way=way, channel="siocluster:board")


@pytest.mark.parametrize(("way", "channel"), [("flask", ""), ("socketio", "flask-socketio")])
def test_program_outside_is_heard_on_the_queue_that_the_app_names(
    the_stage: Stage, redis_url: str, way: str, channel: str
) -> None:
    """Flask-SocketIO's own default channel, which it may leave unsaid on both sides."""
    with (
        start_cluster(
            TARGET, options=["--name", way], environ={"SWITCHBOARD_QUEUE": redis_url}
        ) as cluster,
        world_of(cluster, the_stage) as world,
    ):
        check_outside(world, redis_url, way=way, channel=channel)


def test_program_outside_rules_rooms_and_clients(world: World, redis_url: str) -> None:
    room, closed, sid = world.room(), world.room(world.near, world.there), world.there.sid
    orders = [
        order("enter_room", sid, "/", room),
        order("emit", "news", 1, namespace="/", room=room),
        order("leave_room", sid, "/", room),
        order("emit", "news", 2, namespace="/", room=room),
        order("close_room", closed, "/"),
        order("emit", "news", 3, namespace="/", room=closed),
        order("emit", "news", 4, namespace="/", room=[closed, sid]),
    ]
    outside(redis_url, *orders, way="socketio", channel="siocluster:board")
    goodbye = order("server.disconnect", world.far.sid, namespace="/")
    outside(redis_url, goodbye, way="flask", channel="siocluster:board")
    world.there.wait("news", 4)
    world.far.wait("disconnect")
    fence([world.here, world.near, world.there], by=world.here, word=1)
    assert said(world.there.log()) == [["news", 1], ["news", 4]]
    assert said(world.far.log()) == [["disconnect", "io server disconnect"]]
    assert said(world.near.log()) == said(world.here.log()) == []


def test_program_outside_keeps_its_own_order(world: World, redis_url: str) -> None:
    room = world.room(world.near, world.there)
    targets = [room, None, world.there.sid, [room, world.near.sid]]
    orders = [
        order("emit", "news", number, namespace="/", room=targets[number % 4])
        for number in range(400)
    ]
    outside(redis_url, *orders, way="socketio", channel="siocluster:board")
    world.there.wait("news", 399)
    world.near.wait("news", 399)
    mine = {"near": (0, 1, 3), "there": (0, 1, 2, 3), "far": (1,), "here": (1,)}
    expected = {
        name: [["news", number] for number in range(400) if number % 4 in kinds]
        for name, kinds in mine.items()
    }
    assert world.hear() == expected
