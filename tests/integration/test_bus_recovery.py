"""A stock client that asks with `recovery=1` comes back as who it was, with nothing missed."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.apps.checks.puppets import (
    PATIENT,
    RECOVERY,
    Entry,
    Order,
    Puppet,
    Stage,
    State,
    fence,
    order,
    stage,
)
from tests.apps.checks.records import check_heard, hush
from tests.integration.cluster import Cluster, kill, start_cluster
from tests.integration.waiting import wait_until

TARGET = "switchboard.app:app"
QUICK = ("--backoff", "0.05", "--backoff-max", "0.1")
POSITION = re.compile(r"([0-9]+)-[a-z0-9]{8}")
TIMES = 10  # workers killed under one client
CUTS = 40
SECONDS_KEPT, EVENTS_KEPT = 2, 50  # in the cluster that forgets soon


@dataclass(slots=True)
class World:
    """A cluster of two workers, clients on either, and all the secrets they were given."""

    cluster: Cluster
    stage: Stage
    journal: Path
    clients: list[Puppet]

    @property
    def room(self) -> str:
        return "agora"

    def url(self, slot: int) -> str:
        return f"http://127.0.0.1:{self.cluster.worker_ports[slot]}"

    def plain(self, name: str, slot: int = 0, **options: object) -> Puppet:
        """A client that does not ask for recovery."""
        return self._open(name, self.url(slot), **options)

    def recovering(self, name: str, slot: int = 0, **options: object) -> Puppet:
        return self._open(name, self.url(slot), query=RECOVERY, **options)

    def member(self, name: str, slot: int = 0, **options: object) -> Puppet:
        """One that asks for recovery, in the room."""
        client = self.recovering(name, slot, **options)
        client.do(order("join", self.room))
        return client

    def behind_the_front(self, name: str, **options: object) -> Puppet:
        """The same; nginx says by whom it is served, each time anew."""
        client = self._open(name, self.cluster.url, query=RECOVERY, **options)
        client.do(order("join", self.room))
        return client

    def speakers(self, every: int = 20) -> list[Puppet]:
        """One on each worker, talking into the room until they are told to hush."""
        talkers = [self.plain(f"speaker {slot}", slot, **PATIENT) for slot in (0, 1)]
        for talker in talkers:
            talker.tell("talk", room=self.room, event="said", every=every)
        return talkers

    def lives(self, sid: str) -> list[dict[str, Any]]:
        """What the app's handlers wrote about a sid, in the order of time."""
        lines = map(json.loads, self.journal.read_text().splitlines())
        return sorted((life for life in lines if life["sid"] == sid), key=lambda life: life["time"])

    def _open(self, name: str, url: str, **options: object) -> Puppet:
        client = self.stage.open(name, url, **options)
        self.clients.append(client)
        return client


def world_of(cluster: Cluster, stage: Stage, journal: Path) -> Iterator[World]:
    """After a test, no secret of its clients is in the log, nor a traceback."""
    world, before = World(cluster, stage, journal, clients=[]), len(cluster.log())
    yield world
    secrets = {client.state().pid for client in world.clients} - {None}
    stage.clear()
    log = cluster.log()
    assert not [pid for pid in secrets if str(pid) in log], "a recovery secret is in the log"
    assert "Traceback" not in log[before:]


@pytest.fixture(scope="module")
def the_stage() -> Iterator[Stage]:
    with stage() as the_stage:
        yield the_stage


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("switchboard") / "journal"


@pytest.fixture(scope="module")
def cluster(journal: Path) -> Iterator[Cluster]:
    environ = {"SWITCHBOARD_JOURNAL": str(journal)}
    with start_cluster(TARGET, options=QUICK, environ=environ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def forgetful_cluster() -> Iterator[Cluster]:
    """Keeps little, and not for long."""
    options = ["--recovery-seconds", str(SECONDS_KEPT), "--recovery-events", str(EVENTS_KEPT)]
    with start_cluster(TARGET, options=[*QUICK, *options]) as cluster:
        yield cluster


@pytest.fixture
def world(cluster: Cluster, the_stage: Stage, journal: Path) -> Iterator[World]:
    yield from world_of(cluster, the_stage, journal)


@pytest.fixture
def forgetful(forgetful_cluster: Cluster, the_stage: Stage, journal: Path) -> Iterator[World]:
    yield from world_of(forgetful_cluster, the_stage, journal)


# What a client's log tells


def events(client: Puppet) -> list[Entry]:
    """The app's events as they were emitted, without the position that each of them bears."""
    entries = [entry for entry in client.log() if not is_about_the_connection(entry)]
    numbers = [number_of(entry[-1]) for entry in entries]
    assert numbers == sorted(set(numbers)), "positions do not rise"
    return [entry[:-1] for entry in entries if entry[0] != "fence"]


def is_about_the_connection(entry: Entry) -> bool:
    return entry[0] in ("connect", "connect_error", "disconnect")


def number_of(position: object) -> int:
    assert isinstance(position, str), f"{position!r} is no position"
    found = POSITION.fullmatch(position)
    assert found, f"{position!r} is no position"
    return int(found[1])


def epoch_of(state: State) -> str:
    assert state.offset, "has no position"
    return str(state.offset).partition("-")[2]


def check_came_back(client: Puppet, before: State) -> None:
    """The same client with nothing missed."""
    now = client.state()
    assert (now.connected, now.recovered) == (True, True)
    assert (now.id, now.pid) == (before.id, before.pid)


def check_is_new(client: Puppet, before: State) -> None:
    """Another client, which has been told so."""
    now = client.state()
    assert now.connected and not now.recovered
    assert now.id != before.id and now.pid and now.pid != before.pid


def check_is_silent_while_away(client: Puppet) -> None:
    """Nothing comes between a disconnect and the next connect: CONNECT goes out first."""
    away = False
    for entry in client.log():
        assert not away or is_about_the_connection(entry), f"{entry} came before CONNECT"
        away = entry[0] == "disconnect" or (away and entry[0] != "connect")


def check_heard_all(client: Puppet, speakers: list[Puppet]) -> int:
    """Everything acknowledged came once and in order; returns how much came."""
    check_heard(client, hush(speakers, [client]))
    events(client)
    check_is_silent_while_away(client)
    return len(client.heard("said"))


# Back after a death


@pytest.mark.parametrize(
    ("number", "transports"),
    [
        (signal.SIGKILL, ["websocket"]),
        (signal.SIGTERM, ["websocket"]),
        (signal.SIGKILL, ["polling"]),
    ],
)
def test_client_whose_worker_ends_ten_times_misses_nothing_and_keeps_its_id(
    world: World, number: signal.Signals, transports: list[str]
) -> None:
    client = world.behind_the_front("client", transports=transports, **PATIENT)
    speakers = world.speakers()
    first, slots = client.state(), set()
    for times in range(1, TIMES + 1):
        client.wait("said", count=10 * times)
        slots.add(client.state().slot)
        end_worker(world.cluster, client.state().slot, number)
        client.wait("connect", count=1 + times)
        check_came_back(client, first)
        world.cluster.wait_until_ready()
    assert client.heard("connect") == [[first.id, False], *[[first.id, True]] * TIMES]
    assert slots == {0, 1}
    assert check_heard_all(client, speakers) > 10 * TIMES


def end_worker(cluster: Cluster, slot: int, number: signal.Signals) -> None:
    pid = cluster.worker_pid(slot)
    assert pid
    kill(pid, number)


@pytest.mark.parametrize("delay", [1, 100])
def test_client_that_is_cut_again_and_again_misses_nothing(world: World, delay: int) -> None:
    """At 1 ms it is often back on another worker before the old one has noticed."""
    quick = {"reconnection": True, "reconnectionDelay": delay, "reconnectionDelayMax": delay}
    client = world.behind_the_front("client", randomizationFactor=0, **quick)
    speakers = world.speakers()
    first = client.state()
    for times in range(1, CUTS + 1):
        client.cut()
        client.wait("connect", count=1 + times)
    client.wait("said", count=CUTS + 1)
    assert client.heard("connect") == [[first.id, False], *[[first.id, True]] * CUTS]
    assert check_heard_all(client, speakers) > CUTS


# What is sent again


@pytest.mark.parametrize("slot", [0, 1], ids=["to its worker", "to the other worker"])
def test_client_that_has_received_nothing_yet_is_sent_what_it_missed(
    world: World, slot: int
) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    before = client.go_away()
    assert before.offset is None
    speaker.do(order("emit", "said", "to all", broadcast=True))
    speaker.do(order("emit", "said", "to the room", to=world.room))
    come_back(world, client, slot, before)
    client = Puppet(world.stage, "client")
    client.wait("said", "to the room")
    check_came_back(client, before)
    assert events(client) == [["said", "to all"], ["said", "to the room"]]


def come_back(world: World, client: Puppet, slot: int, before: State) -> State:
    """By its own means on its worker, or as the same page would on the other one."""
    if slot == 0:
        return client.connect()
    world.recovering(client.name, slot, pid=before.pid, offset=before.offset)
    return client.state()


def test_everything_that_was_for_the_client_comes_once_and_in_order(world: World) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    client.do(order("join", "second"))
    before = client.go_away()
    sid = before.id
    speaker.do(
        order("emit", "said", 1, to=world.room),
        order("emit", "said", 2, to=sid),
        order("emit", "said", "other room", to="third"),
        order("emit_several", "said", 3, to=[world.room, "second", sid]),
        order("emit", "said", "to all but it", to=world.room, skip_sid=sid),
        order("emit", "said", "to all but it", broadcast=True, skip_sid=[sid, "a0-x"]),
        order("emit", "said", "other namespace", namespace="/other", broadcast=True),
        order("emit", "said", {"4": [None, True]}, "and", "more", broadcast=True),
        order("emit", "said"),
        order("emit", "bell", to=world.room),
        order("emit", "said", b"\x00\xff", [b""], to=world.room),
    )
    client.connect()
    check_came_back(client, before)
    fence([client], by=speaker, word=1)
    assert events(client) == [
        ["said", 1],
        ["said", 2],
        ["said", 3],
        ["said", {"4": [None, True]}, "and", "more"],
        ["bell"],
        ["said", b"\x00\xff", [b""]],
    ]


def test_events_whose_last_argument_is_a_string_are_no_positions(world: World) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    said = [f"9999999-{n}" for n in range(6)]
    speaker.do(*(order("emit", "said", text, to=world.room) for text in said[:3]))
    client.wait("said", said[2])
    before = client.go_away()
    speaker.do(*(order("emit", "said", text, to=world.room) for text in said[3:]))
    client.connect()
    client.wait("said", said[5])
    check_came_back(client, before)
    assert events(client) == [["said", text] for text in said]


def test_what_came_before_the_join_never_comes(world: World) -> None:
    speaker = world.plain("speaker", 1)
    speaker.do(order("emit", "said", "before all", broadcast=True))
    speaker.do(order("emit", "said", "before", to=world.room))
    client = world.recovering("client")
    speaker.do(order("emit", "said", "between", to=world.room))
    client.do(order("join", world.room))
    before = client.go_away()
    speaker.do(order("emit", "said", "missed", to=world.room))
    client.connect()
    check_came_back(client, before)
    fence([client], by=speaker, word=1)
    assert events(client) == [["said", "missed"]]


@pytest.mark.parametrize("number", [0, 1])
def test_position_from_before_the_join_opens_nothing_older(world: World, number: int) -> None:
    speaker, client = world.plain("speaker", 1), world.recovering("client")
    client.do(order("emit", "mine", 1))
    client.wait("mine")
    epoch = epoch_of(client.state())
    speaker.do(order("emit", "said", "secret", to=world.room))
    client.do(order("join", world.room))
    before = client.go_away()
    speaker.do(order("emit", "said", "missed", to=world.room))
    liar = world.recovering("liar", pid=before.pid, offset=f"{number}-{epoch}")
    fence([liar], by=speaker, word=1)
    assert ["said", "secret"] not in events(liar)
    assert not liar.state().recovered or ["said", "missed"] in events(liar)


def test_what_came_while_it_was_not_in_the_room_never_comes(world: World) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)

    def say(text: str) -> None:
        speaker.do(order("emit", "said", text, to=world.room))

    client.do(order("leave", world.room))
    say("after its leave")
    client.do(order("join", world.room))
    before = client.go_away()
    say("missed")
    client.connect()
    client.wait("said", "missed")
    check_came_back(client, before)
    client.do(order("leave", world.room))
    say("after its second leave")
    before = client.go_away()
    say("while it is away and no member")
    client.connect()
    check_came_back(client, before)
    fence([client], by=speaker, word=1)
    assert events(client) == [["said", "missed"]]


def test_questions_bear_no_position_and_the_next_event_does(world: World) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    (answer,) = speaker.do(order("call", "question", "why?", to=client.sid, timeout=10))
    assert answer == ["client", "why?"]
    assert client.heard("question") == [["why?"]]
    speaker.do(order("emit", "said", 1, to=world.room))
    client.wait("said")
    before = client.go_away()
    speaker.do(order("emit", "said", 2, to=world.room))
    client.connect()
    client.wait("said", 2)
    check_came_back(client, before)
    assert [entry[0] for entry in client.heard("said")] == [1, 2]


# Who it is again


def test_rooms_come_back_and_can_be_left(world: World) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    client.do(order("join", "gone"), order("join", 42), order("leave", "gone"))
    speaker.do(order("enter", client.sid, "given"))
    fence([client], by=speaker, word=1)
    (rooms,) = client.do(order("rooms"))
    before = client.go_away()
    come_back(world, client, 1, before)
    check_came_back(client, before)
    (again,) = client.do(order("rooms"))
    assert sorted(map(str, again)) == sorted(map(str, rooms)) == sorted(map(str, again))
    assert {world.room, "given", 42} <= set(again) and "gone" not in again
    speaker.do(order("quit", client.sid, 42))
    client.do(order("leave", "given"))
    speaker.do(*(order("emit", "said", room, to=room) for room in ("given", 42, world.room)))
    fence([client], by=speaker, word=2)
    assert events(client) == [["said", world.room]]


def test_client_that_came_back_elsewhere_is_reached_by_its_id(world: World) -> None:
    """Its id names the worker of its first life."""
    client, others = world.member("client", 0), [world.plain("a", 0), world.plain("b", 1)]
    before = client.go_away()
    come_back(world, client, 1, before)
    check_came_back(client, before)
    assert client.state().slot == 1
    for other in others:
        other.do(order("emit", "said", other.name, to=before.id))
        assert other.do(order("call", "question", to=before.id, timeout=10)) == ["client"]
    others[0].do(order("enter", before.id, "new room"), order("emit", "said", 1, to="new room"))
    client.wait("said", 1)
    assert [text for _, text in events_without_questions(client)] == ["a", "b", 1]
    others[0].do(order("disconnect", before.id))
    client.wait("disconnect", "io server disconnect")


def events_without_questions(client: Puppet) -> list[Entry]:
    return [entry[:-1] for entry in client.log() if entry[0] == "said"]


@pytest.mark.parametrize("way", ["cut", "killed"])
def test_what_handlers_saved_in_the_session_comes_back(world: World, way: str) -> None:
    values = {"name": "ada", "count": 3, "nested": {"list": [1, None, "é"]}, "raw": b"\x00\xff"}
    client = world.member("client", 0)
    client.do(*(order("remember", key, value) for key, value in values.items()))
    before = client.state()
    if way == "killed":
        end_worker(world.cluster, 0, signal.SIGKILL)
        client.wait("disconnect")
    else:
        client.go_away()
    come_back(world, client, 1, before)
    check_came_back(client, before)
    assert client.do(*(order("recall", key) for key in values)) == list(values.values())
    world.cluster.wait_until_ready()


def test_session_that_no_json_carries_harms_nothing_and_is_said_once(world: World) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    log = len(world.cluster.log())
    for key in ("thing", "second thing"):
        client.do(order("remember_a_thing", key))
    before = client.go_away()
    speaker.do(order("emit", "said", 1, to=world.room))
    client.connect()
    client.wait("said")
    check_came_back(client, before)
    lines = [line for line in world.cluster.log()[log:].splitlines() if "session" in line.lower()]
    assert len(lines) == 1, world.cluster.log()[log:]


def test_handler_sees_nothing_of_the_recovery(world: World) -> None:
    """`connect` and `disconnect` run as for any client, and `auth` is what the client gave."""
    client = world.recovering("client", auth={"token": "t"})
    client.do(order("emit", "mine", 1))
    client.wait("mine")
    before = client.go_away()
    client.connect()
    check_came_back(client, before)
    lives = world.lives(str(before.id))
    assert [life["what"] for life in lives] == [*LIFE, "connect", "connected"]
    assert [life["auth"] for life in lives if life["what"] == "connect"] == [{"token": "t"}] * 2


LIFE = ["connect", "connected", "disconnect", "disconnected"]


def test_handler_without_auth_still_gets_none_after_a_recovery(world: World) -> None:
    client = world.recovering("client")
    before = client.go_away()
    client.connect()
    check_came_back(client, before)
    lives = world.lives(str(before.id))
    assert [life["auth"] for life in lives if life["what"] == "connect"] == [None] * 2


def test_auth_of_a_client_without_recovery_is_left_alone(world: World) -> None:
    auth = {"pid": "a process of its own", "offset": 7}
    client = world.plain("client", auth=auth)
    (life,) = (life for life in world.lives(client.sid) if life["what"] == "connect")
    assert life["auth"] == auth


@pytest.mark.parametrize("slot", [0, 1], ids=["its worker", "the other worker"])
def test_old_life_has_ended_before_the_new_one_begins(world: World, slot: int) -> None:
    client = world.member("client", 0)
    client.do(order("say_goodbye", 0.4, []))
    before = client.go_away()
    come_back(world, client, slot, before)
    check_came_back(client, before)
    whats = [life["what"] for life in world.lives(str(before.id))]
    assert whats == [*LIFE, "connect", "connected"]


@pytest.mark.parametrize("slot", [0, 1], ids=["its worker", "the other worker"])
def test_second_life_closes_the_first(world: World, slot: int) -> None:
    first, speaker = world.member("first", 0), world.plain("speaker", 1)
    first.do(order("say_goodbye", 0.2, []))
    before = first.state()
    second = world.recovering("second", slot, pid=before.pid, offset=before.offset)
    check_came_back(second, before)
    first.wait("disconnect")
    whats = [life["what"] for life in world.lives(str(before.id))]
    assert whats == [*LIFE, "connect", "connected"]
    speaker.do(order("emit", "said", 1, to=world.room), order("emit", "said", 2, to=before.id))
    fence([second], by=speaker, word=1)
    assert events(second) == [["said", 1], ["said", 2]]
    assert not first.heard("said")


# Who it is not


def refusing(client: Puppet) -> None:
    client.tell("introduce", auth={"refuse": True})


@pytest.mark.parametrize("slot", [0, 1], ids=["its worker", "the other worker"])
def test_client_that_the_app_refuses_stays_refused_and_learns_nothing(
    world: World, slot: int
) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    before = client.go_away()
    speaker.do(order("emit", "said", "secret", to=world.room))
    speaker.do(order("emit", "said", "secret", to=before.id))
    banned = world.recovering(
        "banned", slot, auth={"refuse": True}, pid=before.pid, offset=before.offset
    )
    for _ in range(2):
        banned.connect()
        speaker.do(order("emit", "said", "secret", to=world.room))
        speaker.do(order("emit", "said", "secret", to=before.id))
    assert {tuple(entry) for entry in banned.log()} == {("connect_error", "not you")}
    assert not banned.state().connected
    assert speaker.do(order("emit", "said", 1)) == [None]


FORGED_PIDS: dict[str, object] = {
    "unknown": "x" * 22,
    "empty": "",
    "glob": "*",
    "key characters": "a{b}:c\r\n*1\r\n",
    "surrogate": "\ud83d",
    "null byte": "\x00",
    "900 kB": "p" * 900_000,
    "number": 42,
    "true": True,
    "null": None,
    "list": ["a"],
    "object": {"pid": "a"},
}


@pytest.mark.parametrize("pid", FORGED_PIDS.values(), ids=FORGED_PIDS)
def test_pid_that_nobody_was_given_opens_a_new_session_and_no_more(
    world: World, pid: object
) -> None:
    other, speaker = world.member("other", 0), world.plain("speaker", 1)
    speaker.do(order("emit", "said", "before", to=world.room))
    other.wait("said", "before")
    client = world.recovering("client", auth={"pid": pid, "offset": other.state().offset})
    now = client.state()
    assert now.connected and now.pid and now.pid != pid
    assert now.id not in (other.state().id, None)
    client.do(order("join", world.room))
    speaker.do(order("emit", "said", "after", to=world.room))
    fence([client], by=speaker, word=1)
    assert events(client) == [["said", "after"]]


def test_pid_of_a_megabyte_harms_nobody(world: World) -> None:
    """It is more than Engine.IO takes in one packet (`max_http_buffer_size`)."""
    other = world.member("other", 0)
    client = world.recovering("client", auth={"pid": "p" * 1_000_000, "offset": "1-aaaaaaaa"})
    assert not client.state().connected
    other.do(order("emit", "said", 1, to=world.room))
    other.wait("said", 1)
    assert other.heard("connect") == [[other.sid, False]]


def test_sid_is_no_pid(world: World) -> None:
    other = world.member("other", 0)
    client = world.recovering("client", auth={"pid": other.sid, "offset": None})
    assert client.sid != other.sid
    assert other.state().connected


def test_pid_of_another_namespace_opens_a_new_session_and_spoils_nothing(world: World) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    before = client.go_away()
    speaker.do(order("emit", "said", "missed", to=world.room))
    foreign = world.recovering("foreign", 1, namespace="/other", pid=before.pid)
    check_is_new(foreign, before)
    client.connect()
    client.wait("said", "missed")
    check_came_back(client, before)
    assert not foreign.heard("said")


def strange_offsets(number: int, epoch: str) -> list[object]:
    return [
        f"-5-{epoch}",
        f"{'9' * 40}-{epoch}",
        f"{number + 1_000_000}-{epoch}",
        f"{number}-zzzzzzzz",
        f"{number}-",
        f"-{epoch}",
        f"{number}",
        f"{number}-{epoch}-1",
        f" {number}-{epoch}",
        f"{number}-{epoch}\n",
        f"{number}.5-{epoch}",
        f"1e3-{epoch}",
        f"٣-{epoch}",
        "abc",
        "",
        "-",
        "\x00",
        "\ud83d",
        "9" * 100_000,
        5,
        -1,
        4.5,
        True,
        [f"{number}-{epoch}"],
        {"offset": f"{number}-{epoch}"},
    ]


@pytest.mark.parametrize("which", range(len(strange_offsets(0, ""))))
def test_offset_that_is_none_of_ours_is_told_and_replays_nothing(world: World, which: int) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    speaker.do(order("emit", "said", "before", to=world.room))
    client.wait("said")
    before = client.go_away()
    offset = strange_offsets(number_of(before.offset), epoch_of(before))[which]
    speaker.do(order("emit", "said", "missed", to=world.room))
    client = world.recovering("client", which % 2, pid=before.pid, offset=offset)
    check_is_new(client, before)
    client.do(order("join", world.room))
    speaker.do(order("emit", "said", "after", to=world.room))
    fence([client], by=speaker, word=1)
    assert events(client) == [["said", "after"]]


# Too much missed


def test_more_missed_than_is_kept_is_told_and_replays_nothing(forgetful: World) -> None:
    client, speaker = forgetful.member("client", 0), forgetful.plain("speaker", 1)
    before = client.go_away()
    orders = [order("emit", "said", n, to=forgetful.room) for n in range(3 * EVENTS_KEPT)]
    speaker.do(*orders)
    client.connect()
    check_is_new(client, before)
    client.do(order("join", forgetful.room))
    speaker.do(order("emit", "said", "after", to=forgetful.room))
    fence([client], by=speaker, word=1)
    assert events(client) == [["said", "after"]]


def test_event_larger_than_what_a_room_may_keep_is_sent_or_told(world: World) -> None:
    client, speaker = world.member("client", 0), world.plain("speaker", 1)
    before = client.go_away()
    speaker.do(
        order("emit", "said", "small", to=world.room),
        order("emit_large", "said", "large", 3_000_000, to=world.room),
        order("emit", "said", "last", to=world.room),
    )
    client.connect()
    if not client.state().recovered:
        check_is_new(client, before)
        client.do(order("join", world.room))
    speaker.do(order("emit", "said", "after", to=world.room))
    fence([client], by=speaker, word=1)
    said = [text for _, text, *_ in events(client)]
    assert said == [*["small", "large", "last"] * client.state().recovered, "after"]


def test_client_of_a_quiet_room_misses_nothing_by_the_noise_of_others(forgetful: World) -> None:
    client, speaker = forgetful.recovering("client", 0), forgetful.plain("speaker", 1)
    client.do(order("join", "quiet"))
    speaker.do(order("emit", "said", "before", to="quiet"))
    client.wait("said")
    before = client.go_away()
    speaker.do(*(order("emit", "said", n, to="noisy") for n in range(4 * EVENTS_KEPT)))
    client.connect()
    check_came_back(client, before)
    fence([client], by=speaker, word=1)
    assert events(client) == [["said", "before"]]


def let_pass(seconds: float) -> None:
    """Time itself is what these tests wait for."""
    start = time.monotonic()
    wait_until(lambda: time.monotonic() > start + seconds, words=f"{seconds} s to pass")


def test_client_that_was_away_for_too_long_is_told_and_starts_afresh(forgetful: World) -> None:
    """It keeps its old offset under its new pid: that opens nothing from before its new start."""
    client, speaker = forgetful.member("client", 0), forgetful.plain("speaker", 1)
    speaker.do(order("emit", "said", "first", to=forgetful.room))
    client.wait("said")
    before = client.go_away()
    let_pass(3 * SECONDS_KEPT)
    speaker.do(order("emit", "said", "missed for ever", to=forgetful.room))
    client.connect()
    check_is_new(client, before)
    client.do(order("join", forgetful.room))
    again = client.go_away()
    assert again.offset == before.offset
    speaker.do(order("emit", "said", "missed", to=forgetful.room))
    client.connect()
    client.wait("said", "missed")
    check_came_back(client, again)
    assert events(client) == [["said", "first"], ["said", "missed"]]


def test_idle_client_comes_back_however_long_it_was_idle(forgetful: World) -> None:
    client, speaker = forgetful.member("client", 0), forgetful.plain("speaker", 1)
    speaker.do(order("emit", "said", "first", to=forgetful.room))
    client.wait("said")
    let_pass(4 * SECONDS_KEPT)
    before = client.go_away()
    speaker.do(order("emit", "said", "missed", to=forgetful.room))
    client.connect()
    check_came_back(client, before)
    client.wait("said", "missed")
    assert events(client) == [["said", "first"], ["said", "missed"]]


# Who asks for it

Opened = Callable[[World], Puppet]
ALL_KINDS: tuple[Order, ...] = (
    order("emit", "said", "a"),
    order("emit", "bell"),
    order("emit", "file", b"\x01", broadcast=True),
)


def raw_events(client: Puppet) -> list[Entry]:
    client.do(*ALL_KINDS, order("emit", "last"))
    client.wait("last")
    return [entry for entry in client.log() if not is_about_the_connection(entry)]


def check_gets_positions(client: Puppet) -> None:
    assert client.state().pid
    entries = raw_events(client)
    assert [len(entry) for entry in entries] == [3, 2, 3, 2]
    assert all(POSITION.fullmatch(entry[-1]) for entry in entries)
    assert client.state().offset == entries[-1][-1]


def check_is_stock(client: Puppet) -> None:
    assert client.state().pid is None
    assert raw_events(client) == [["said", "a"], ["bell"], ["file", b"\x01"], ["last"]]


def test_client_that_does_not_ask_sees_what_stock_would_show(world: World) -> None:
    check_is_stock(world.plain("client"))
    check_is_stock(world.plain("client", query={"recovery": "0"}))


def test_client_that_asks_gets_a_position_with_each_event(world: World) -> None:
    check_gets_positions(world.recovering("client"))
    check_gets_positions(world.recovering("client", namespace="/other"))
    check_gets_positions(world.recovering("client", transports=["polling"]))


@pytest.mark.parametrize("mode", ["on", "off"])
def test_recovery_is_for_all_or_for_nobody_where_the_option_says_so(
    the_stage: Stage, mode: str
) -> None:
    check = {"on": check_gets_positions, "off": check_is_stock}[mode]
    with start_cluster(TARGET, options=["--recovery", mode]) as cluster:
        url = f"http://127.0.0.1:{cluster.worker_ports[0]}"
        check(the_stage.open("client", url))
        check(the_stage.open("client", url, query=RECOVERY))
        the_stage.clear()
