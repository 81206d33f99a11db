"""The link to Redis: what breaks it loses nothing, and what Redis refuses is said to who did it."""

from __future__ import annotations

import itertools
import re
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis as redis_client
from websocket import WebSocket, create_connection

from tests.apps.checks.counted_redis import counted_redis
from tests.apps.checks.durable_redis import DurableRedis, durable_redis
from tests.apps.checks.puppets import PATIENT, RECOVERY, Puppet, Stage, fence, order, stage
from tests.apps.checks.records import check_heard, check_same_order, hush
from tests.integration.cluster import Cluster, kill, start_cluster
from tests.integration.handshake import open_session
from tests.integration.waiting import SCALE, is_ready, wait_until

TARGET = "switchboard.app:app"
SECONDS_TO_COME_BACK = 3 * SCALE
SECONDS_TO_LET_GO = 20 * SCALE  # a room's channel after its last member has left
JOINS = 10_000
GARBAGE = [
    b"",
    b"\x00\xff\xfe",
    b"{}",
    b"null",
    b"[1,2,3]",
    b'{"method": "emit"}',
    b"-1 -1 zzzzzzzz",
    b"999999999999999999999999 0 aaaaaaaa 42[]",
    b"1|2|3|4|5|6|7|8",
    b"\x82\xa1a\x01",
    b"42" * 500_000,
    "\u202e👻".encode(),
]


@dataclass(slots=True)
class World:
    """A cluster on a Redis that can be hurt, a speaker and listeners on each worker."""

    cluster: Cluster
    redis: DurableRedis
    stage: Stage
    room: str = field(default_factory=lambda: f"agora-{uuid.uuid4().hex}")

    def url(self, slot: int) -> str:
        return f"http://127.0.0.1:{self.cluster.worker_ports[slot]}"

    def client(self, name: str, slot: int = 0, **options: object) -> Puppet:
        return self.stage.open(name, self.url(slot), **options)

    def members(self, kind: str = "member", **options: object) -> list[Puppet]:
        """One on each worker."""
        members = [self.client(f"{kind} {slot}", slot, **options) for slot in (0, 1)]
        for member in members:
            member.do(order("join", self.room))
        return members

    def listeners(self) -> list[Puppet]:
        """On each worker one that asks for recovery, and one that does not."""
        return [*self.members("plain"), *self.members("recovering", query=RECOVERY)]

    def speakers(self, *, every: int = 10, padding: str = "") -> list[Puppet]:
        speakers = [self.client(f"speaker {slot}", slot) for slot in (0, 1)]
        for speaker in speakers:
            speaker.tell("talk", room=self.room, event="said", every=every, padding=padding)
        return speakers

    def wait_until_ready(self, seconds: float = SECONDS_TO_COME_BACK) -> float:
        return wait_until(
            lambda: all(map(is_ready, self.cluster.worker_ports)),
            words="both workers to be ready",
            seconds=seconds,
            log=self.cluster.log,
        )

    def pids(self) -> list[int | None]:
        return [self.cluster.worker_pid(slot) for slot in (0, 1)]

    def query(self, *command: Any) -> Any:
        """What Redis answers to one command."""
        with self.redis.client() as client:
            return client.execute_command(*command)

    def channels(self) -> set[bytes]:
        return set(self.query("PUBSUB", "CHANNELS"))

    def all_keys(self) -> set[bytes]:
        with self.redis.client() as client:
            return set(client.scan_iter(count=1000))


@pytest.fixture(scope="module")
def the_stage() -> Iterator[Stage]:
    with stage() as the_stage:
        yield the_stage


@pytest.fixture(scope="module")
def hurt_redis() -> Iterator[DurableRedis]:
    with durable_redis() as server:
        yield server


@pytest.fixture(scope="module")
def cluster(hurt_redis: DurableRedis) -> Iterator[Cluster]:
    with start_cluster(TARGET, options=["--redis", hurt_redis.url, "--name", "link"]) as cluster:
        yield cluster


@pytest.fixture
def world(cluster: Cluster, hurt_redis: DurableRedis, the_stage: Stage) -> Iterator[World]:
    """After each test the same workers live, and they are ready."""
    world = World(cluster, hurt_redis, the_stage)
    world.wait_until_ready()
    pids = world.pids()
    yield world
    the_stage.clear()
    world.wait_until_ready(seconds=20 * SCALE)
    assert world.pids() == pids, f"a worker was replaced:\n{cluster.log()}"


def end_and_check(speakers: list[Puppet], listeners: list[Puppet], *, at_least: int = 50) -> None:
    """Nothing acknowledged is missing, nothing doubled, one order, and nobody was cut off."""
    told = hush(speakers, listeners)
    assert sum(len(speaker.acked) for speaker in told) >= at_least
    assert [speaker.refused for speaker in told] == [[] for _ in told]
    for listener in listeners:
        check_heard(listener, told)
        assert not listener.heard("disconnect")
    check_same_order(listeners)


# Away for a moment


def test_redis_that_is_killed_and_comes_back_costs_nothing(world: World) -> None:
    listeners, speakers = world.listeners(), world.speakers()
    listeners[0].wait("said", count=60)
    with world.redis.away():
        wait_until(
            lambda: not any(map(is_ready, world.cluster.worker_ports)), words="nobody to be ready"
        )
        assert [open_session(port).status for port in world.cluster.worker_ports] == [503, 503]
        assert open_session(world.cluster.place.bind).status in (502, 503)
    world.wait_until_ready()
    end_and_check(speakers, listeners)


def test_connect_and_join_and_emit_under_way_wait_for_redis(world: World) -> None:
    """No CONNECT_ERROR: the stock client would not come back after it."""
    speaker, member = world.members()
    sessions = [open_bare(port) for port in world.cluster.worker_ports]
    try:
        with world.redis.away():
            wait_until(lambda: not is_ready(world.cluster.worker_ports[0]), words="not ready")
            for session in sessions:
                session.send("40")
            member.begin(order("join", "new room"))
            for text in ("first", "second"):
                speaker.begin(order("emit", "said", text, to=world.room))
            speaker.begin(order("emit", "said", "reply"))
        answers = [*member.answers(), *speaker.answers()]
        assert answers == [{"values": [[None]]}] * 4
        assert [session.recv()[:7] for session in sessions] == ['40{"sid'] * 2
    finally:
        for session in sessions:
            session.close()
    speaker.do(order("emit", "said", "third", to="new room"))
    member.wait("said", "third")
    assert member.heard("said") == [["first"], ["second"], ["third"]]
    assert speaker.heard("said") == [["first"], ["second"], ["reply"]]


def open_bare(port: int) -> WebSocket:
    """A session whose client has not yet said CONNECT."""
    session = create_connection(
        f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket", timeout=10 * SCALE
    )
    assert str(session.recv()).startswith("0{")
    return session


def test_client_that_connects_while_redis_is_away_is_in_soon_after(
    world: World, the_stage: Stage
) -> None:
    with world.redis.away():
        wait_until(lambda: not is_ready(world.cluster.worker_ports[1]), words="not ready")
        client = world.client("late", 1, **PATIENT)
        assert not client.state().connected
    client.wait("connect", seconds=SECONDS_TO_COME_BACK)


@pytest.mark.parametrize("kind", ["pubsub", "normal"])
def test_connections_that_redis_closes_cost_nothing(world: World, kind: str) -> None:
    listeners, speakers = world.listeners(), world.speakers(every=8)
    for times in range(1, 11):
        listeners[0].wait("said", count=30 * times)
        world.query("CLIENT", "KILL", "TYPE", kind)
    world.wait_until_ready()
    end_and_check(speakers, listeners, at_least=300)


def test_connections_that_redis_closes_again_while_they_catch_up_cost_nothing(
    world: World,
) -> None:
    """What was held before the second loss does not reach to what comes after it."""
    listeners, speakers = world.listeners(), world.speakers(every=8)
    for _ in range(3):
        wait_until(lambda: subscribers(world) == 2, words="both workers to listen")
        listeners[0].wait("said", count=len(listeners[0].heard("said")) + 20)
        for _ in range(2):
            wait_until(lambda: subscribers(world) == 2, words="both workers to listen")
            world.query("CLIENT", "KILL", "TYPE", "pubsub")
    world.wait_until_ready()
    end_and_check(speakers, listeners, at_least=100)


def test_worker_that_was_too_slow_for_redis_catches_up(world: World) -> None:
    """Redis cuts a subscriber off at its output limit: what it had queued for it is gone.

    More than the kernel takes for a stopped process, in rooms of which none outgrows what is kept.
    """
    listeners, speaker = world.members("plain", brief=True), world.client("speaker 0")
    rooms = [f"{world.room} {number}" for number in range(50)]
    for listener in listeners:
        listener.do(*(order("join", room) for room in rooms))
    texts = [f"speaker 0 {number}" for number in range(300)]
    with slow_worker(world, slot=1):
        speaker.do(
            *(
                order("emit_large", "said", text, 100_000, to=rooms[number % len(rooms)])
                for number, text in enumerate(texts)
            )
        )
    world.wait_until_ready(seconds=20 * SCALE)
    fence(listeners, by=speaker, word=1)
    for listener in listeners:
        assert [text for (text,) in listener.heard("said")] == texts
        assert not listener.heard("disconnect")


@contextmanager
def slow_worker(world: World, *, slot: int) -> Iterator[None]:
    """It reads nothing in the block; then Redis cuts it off, and it goes on."""
    pid, limit = world.pids()[slot], "client-output-buffer-limit"
    assert pid
    world.query("CONFIG", "SET", limit, "pubsub 4mb 4mb 60")
    before = subscribers(world)
    kill(pid, signal.SIGSTOP)
    try:
        yield
        wait_until(lambda: subscribers(world) < before, words="Redis to cut the slow one off")
    finally:
        kill(pid, signal.SIGCONT)
        world.query("CONFIG", "SET", limit, "pubsub 32mb 8mb 60")


def subscribers(world: World) -> int:
    return len(world.query("CLIENT", "LIST", "TYPE", "pubsub").splitlines())


# What Redis refuses


def test_emit_into_a_full_redis_raises_and_nothing_is_half_done(world: World) -> None:
    speaker, member = world.members()
    targets = [world.room, member.sid, speaker.sid]
    world.query("CONFIG", "SET", "maxmemory", "1")
    try:
        refused = speaker.do(
            *(order("emit", "said", "refused", to=target) for target in targets),
            order("emit_several", "said", "refused", to=targets),
            order("emit", "said", "refused", broadcast=True),
            order("emit", "said", "refused"),
        )
    finally:
        world.query("CONFIG", "SET", "maxmemory", "0")
    assert [outcome and outcome["raised"] for outcome in refused] == ["NotStoredError"] * 6
    assert all(outcome["words"] for outcome in refused)
    world.wait_until_ready()
    assert speaker.do(order("emit", "said", "taken", to=world.room)) == [None]
    fence([speaker, member], by=speaker, word=1)
    for client in (speaker, member):
        assert client.heard("said") == [["taken"]]
        assert not client.heard("disconnect")


def test_error_of_a_handler_whose_emit_was_not_stored_is_in_the_log(world: World) -> None:
    speaker, member = world.members()
    before = world.cluster.log().count("NotStoredError")
    world.query("CONFIG", "SET", "maxmemory", "1")
    try:
        speaker.tell("begin", args=["say", world.room, "refused"])
        world.cluster.wait_for_log("NotStoredError", count=before + 1)
    finally:
        world.query("CONFIG", "SET", "maxmemory", "0")
    world.wait_until_ready()
    fence([speaker, member], by=speaker, word=1)
    assert not member.heard("said")


def test_scripts_that_redis_has_forgotten_are_told_again(world: World) -> None:
    listeners, speakers = world.listeners(), world.speakers()
    for times in range(1, 4):
        listeners[0].wait("said", count=20 * times)
        world.query("SCRIPT", "FLUSH")
    end_and_check(speakers, listeners)


def test_redis_that_is_a_replica_for_a_moment_costs_nothing_acknowledged(world: World) -> None:
    listeners, speakers = world.listeners(), world.speakers()
    listeners[0].wait("said", count=20)
    world.query("CONFIG", "SET", "replica-serve-stale-data", "yes")
    world.query("REPLICAOF", "127.0.0.1", "1")
    try:
        for speaker in speakers:
            speaker.begin(order("emit", "under way", to=world.room))
    finally:
        world.query("REPLICAOF", "NO", "ONE")
    world.wait_until_ready(seconds=10 * SCALE)
    told = hush(speakers, listeners)
    for listener in listeners:
        check_heard(listener, told)
        assert not listener.heard("disconnect")
    reasons = {reason for speaker in told for _, reason in speaker.refused}
    assert reasons <= {"NotStoredError"}


def test_key_of_another_kind_is_said_to_who_speaks_there_and_harms_no_other_room(
    world: World,
) -> None:
    listeners, speakers = world.listeners(), world.speakers()
    listeners[0].wait("said", count=50)
    own, there = world.client("own", 0), world.client("there", 1)
    log = len(world.cluster.log())
    room = heard_by(own, there)
    with spoilt(world, room):
        (outcome,) = own.do(order("emit", "news", "second", to=room))
        fence([own, there], by=own, word=1)
        heard = [["first"]] if outcome else [["first"], ["second"]]
        assert own.heard("news") == there.heard("news") == heard
        assert outcome is None or outcome["raised"] == "NotStoredError"
        assert world.cluster.log()[log:].strip(), "no word about it in the log"
        end_and_check(speakers, listeners)


def test_key_of_another_kind_does_not_keep_a_worker_from_catching_up(world: World) -> None:
    """Other rooms lose nothing when the link breaks meanwhile; who is in that one may be told."""
    listeners, speakers = world.listeners(), world.speakers()
    own, there = world.client("own", 0, **PATIENT), world.client("there", 1, **PATIENT)
    with spoilt(world, heard_by(own, there)):
        for times in (1, 2):
            listeners[0].wait("said", count=30 * times)
            world.query("CLIENT", "KILL", "TYPE", "pubsub")
            world.wait_until_ready()
            listeners[0].wait("said", count=len(listeners[0].heard("said")) + 20)
        end_and_check(speakers, listeners)


def test_client_that_missed_what_a_foreign_key_took_the_place_of_is_told(world: World) -> None:
    client, other = world.client("client", 0, query=RECOVERY), world.client("other", 1)
    room = heard_by(client, other)
    before = client.go_away()
    assert other.do(order("emit", "news", "missed", to=room)) == [None]
    with spoilt(world, room):
        now = client.connect()
        assert now.connected and not now.recovered
        assert now.pid != before.pid
        client.do(order("join", world.room), order("emit", "said", 1, to=world.room))
        client.wait("said", 1)


def heard_by(*members: Puppet) -> str:
    """A new room in which these have heard "first"."""
    room = f"spoilt-{uuid.uuid4().hex}"
    for member in members:
        member.do(order("join", room))
    members[0].do(order("emit", "news", "first", to=room))
    for member in members:
        member.wait("news", "first")
    return room


@contextmanager
def spoilt(world: World, room: str) -> Iterator[None]:
    """The room's log is a text of somebody else's."""
    keys = [key for key in world.all_keys() if room.encode() in key and is_stream(world, key)]
    assert keys, "found no log of the room"
    for key in keys:
        world.query("SET", key, "foreign")
    try:
        yield
    finally:
        world.query("DEL", *keys)


def is_stream(world: World, key: bytes) -> bool:
    return bool(world.query("TYPE", key) == b"stream")


def test_garbage_on_the_channels_is_logged_and_costs_nothing(world: World) -> None:
    listeners, speakers = world.listeners(), world.speakers()
    listeners[0].wait("said", count=10)
    log = len(world.cluster.log())
    for channel in world.channels():
        for garbage in GARBAGE:
            world.query("PUBLISH", channel, garbage)
    listeners[0].wait("said", count=len(listeners[0].heard("said")) + 20)
    end_and_check(speakers, listeners)
    lines = world.cluster.log()[log:]
    assert lines.strip(), "no word about it in the log"
    assert "Traceback" not in lines
    assert max(map(len, lines.splitlines())) < 400, "the log repeats what anybody may publish"


def test_messages_that_come_again_or_maimed_cost_nothing(world: World) -> None:
    """Of the form of ours: a person plays with redis-cli."""
    listeners, speakers = world.listeners(), world.speakers()
    listeners[0].wait("said", count=10)
    for channel, message in heard_on_channels(world, listeners[0]):
        number, rest = parts_of(message)
        older = str(max(0, number - 1_000_000)).encode() + rest
        for forged in (message, older, b"-" + message, message[: len(message) // 2]):
            world.query("PUBLISH", channel, forged)
    for listener in listeners:
        listener.wait("said", count=len(listener.heard("said")) + 20)
    end_and_check(speakers, listeners)


@pytest.mark.parametrize("kind", ["future", "other epoch"])
def test_message_that_cannot_be_of_this_redis_leaves_nobody_with_a_silent_gap(
    world: World, kind: str
) -> None:
    """All that a worker can know from it is that Redis is not what it was: clients may be told."""
    clients = world.members("client", query=RECOVERY, **PATIENT)
    speakers = world.speakers()
    clients[0].wait("said", count=10)
    for channel, message in heard_on_channels(world, clients[0]):
        number, rest = parts_of(message)
        future = str(number + 1_000_000).encode() + rest
        other = message.replace(rest[:9], b" zzzzzzzz", 1)
        world.query("PUBLISH", channel, {"future": future, "other epoch": other}[kind])
    for speaker in speakers:
        speaker.tell("hush")
    probes = itertools.count()
    wait_until(lambda: all_hear(world, clients, next(probes)), words="all to hear what is said now")
    for client in clients:
        assert not any(recovered for _, recovered in client.heard("connect"))


def all_hear(world: World, clients: list[Puppet], probe: int) -> bool:
    """Whether all are members, or come back and enter anew, and hear a word."""
    try:
        for client in clients:
            client.do(order("join", world.room))
        world.client("prober", 1).do(order("emit", "probe", probe, to=world.room))
        for client in clients:
            client.wait("probe", probe, seconds=1)
    except AssertionError:
        return False
    return True


def parts_of(message: bytes) -> tuple[int, bytes]:
    """The number at its start, and the rest."""
    number = re.match(rb"\d+", message)
    assert number, message
    return int(number[0]), message[number.end() :]


def heard_on_channels(world: World, listener: Puppet) -> list[tuple[bytes, bytes]]:
    """A real message of the room's channel and some others, as they pass by."""
    with world.redis.client() as client, client.pubsub() as listening:
        listening.psubscribe("*")
        times = len(listener.heard("said"))
        listener.wait("said", count=times + 10)
        found: dict[bytes, bytes] = {}
        for _ in range(20):
            message = listening.get_message(timeout=0.05)
            if message and message["type"] == "pmessage" and message["data"][:1].isdigit():
                found[message["channel"]] = message["data"]
    assert [data for data in found.values() if b"speaker" in data], "the room was not heard"
    return list(found.items())


# Emptied


def test_redis_that_was_emptied_is_told_to_recovering_clients_and_nobody_hangs(
    world: World,
) -> None:
    listeners = [*world.members("plain", **PATIENT)]
    recovering = world.members("recovering", query=RECOVERY, **PATIENT)
    away = world.members("away", query=RECOVERY)
    speakers = world.speakers()
    for client in (*listeners, *recovering, *away):
        client.wait("said", count=10)
    lives = [client.go_away() for client in away]
    world.query("FLUSHALL")
    for client, before in zip(away, lives, strict=True):
        now = client.connect()
        assert now.connected and not now.recovered
        assert now.id != before.id and now.pid != before.pid
    for speaker in speakers:
        speaker.tell("hush")
    for client in (*listeners, *recovering, *away):
        wait_until(lambda client=client: client.state().connected, words="all to be connected")
    check_all_are_heard(world, [*listeners, *recovering, *away])
    for client in recovering:
        assert all(not recovered for _, recovered in client.heard("connect"))


def check_all_are_heard(world: World, clients: list[Puppet]) -> None:
    """All enter the room, again where need be, and hear what is said from then on."""
    for client in clients:
        client.do(order("join", world.room))
    speaker = world.client("last speaker", 1)
    speaker.do(order("emit", "last", to=world.room))
    for client in clients:
        client.wait("last")


# Who gets what


def test_worker_without_members_gets_nothing_of_a_room(
    hurt_redis: DurableRedis, the_stage: Stage
) -> None:
    with (
        counted_redis(hurt_redis.port) as counted,
        start_cluster(TARGET, options=["--redis", counted.url, "--name", "counted"]) as cluster,
    ):
        world = World(cluster, hurt_redis, the_stage)
        speaker, there = world.client("speaker", 0), world.client("there", 1)
        speaker.do(order("join", world.room))
        there.do(order("join", "another room"))
        fence([speaker, there], by=speaker, word=1)
        here_pid, there_pid = world.pids()
        assert here_pid and there_pid
        before = counted.received.copy()
        speaker.do(*(order("emit_large", "said", "", 1000, to=world.room) for _ in range(1000)))
        speaker.wait("said", count=1000)
        fence([speaker, there], by=speaker, word=2)
        got = counted.received - before
        assert got[here_pid] > 0
        assert got[there_pid] < 50_000, "of a megabyte that was said in a room of the other worker"
        there.do(order("join", world.room))
        speaker.do(order("emit", "said", "now", to=world.room))
        there.wait("said", "now")
        the_stage.clear()


def test_channel_of_a_room_is_there_while_it_has_members_on_a_worker(world: World) -> None:
    here, there = world.client("here", 0), world.client("there", 1)
    before = world.channels()
    for client in (here, there):
        client.do(order("join", world.room))
    (shared,) = world.channels() - before
    assert subscribers_of(world, shared) == 2
    there.do(order("leave", world.room))
    wait_until(
        lambda: subscribers_of(world, shared) == 1,
        words="the other worker to let the channel go",
        seconds=SECONDS_TO_LET_GO,
    )
    here.do(order("leave", world.room))
    wait_until(
        lambda: shared not in world.channels(),
        words="the last worker to let the channel go",
        seconds=SECONDS_TO_LET_GO,
    )


def subscribers_of(world: World, channel: bytes) -> int:
    return int(world.query("PUBSUB", "NUMSUB", channel)[1])


def test_channels_after_many_joins_and_leaves_are_those_of_live_rooms(world: World) -> None:
    wait_until(lambda: len(world.channels()) < 50, words="rooms of other tests to be let go")
    client, idle = world.client("client", 0), world.channels()
    for start in range(0, JOINS, 500):
        rooms = [f"many {number}" for number in range(start, start + 500)]
        client.do(*(order("join", room) for room in rooms))
        assert len(world.channels()) >= 500
        client.do(*(order("leave", room) for room in rooms))
    client.do(*(order("join", f"live {number}") for number in range(3)))
    wait_until(
        lambda: len(world.channels() - idle) <= 3,
        words="no more channels than live rooms",
        seconds=SECONDS_TO_LET_GO,
        log=lambda: str(len(world.channels())),
    )
    client.do(*(order("emit", "said", number, to=f"live {number}") for number in range(3)))
    client.wait("said", 2)
    assert client.heard("said") == [[0], [1], [2]]


def test_every_key_expires_by_itself(world: World) -> None:
    """Also those of what the tests above have done."""
    listeners, speakers = world.listeners(), world.speakers()
    listeners[0].wait("said", count=20)
    end_and_check(speakers, listeners, at_least=20)
    ask_and_go(world)
    keys = world.all_keys()
    assert len(keys) > 5
    assert eternal(world, keys) == []
    world.stage.clear()
    assert eternal(world, world.all_keys()) == []


def ask_and_go(world: World) -> None:
    """One of each of the other things that may leave a key."""
    client, other = world.members("guest", query=RECOVERY)
    client.do(order("remember", "name", "ada"), order("enter", other.sid, "given"))
    assert client.do(order("call", "question", to=other.sid, timeout=10)) == ["guest 1"]
    client.do(order("close", "given"), order("disconnect", other.sid))
    other.wait("disconnect")
    client.go_away()


def eternal(world: World, keys: set[bytes]) -> list[bytes]:
    """Those that have no expiry; a key that is gone meanwhile has none of -1."""
    return sorted(key for key in keys if world.query("PTTL", key) == -1)


def test_prefix_of_all_keys_and_channels_is_a_setting(
    hurt_redis: DurableRedis, the_stage: Stage
) -> None:
    with hurt_redis.client() as client:
        before = everything(client)
        options = ["--redis", hurt_redis.url, "--name", "named", "--redis-prefix", "mine:"]
        with start_cluster(TARGET, options=options) as cluster:
            world = World(cluster, hurt_redis, the_stage)
            here, there = world.members(query=RECOVERY)
            here.do(order("emit", "said", 1, to=world.room))
            there.wait("said", 1)
            new = everything(client) - before
            the_stage.clear()
    assert len(new) > 5
    # The last is what stock programs outside speak to, by its name.
    assert [name for name in new if b"mine:" not in name] == [b"siocluster:named"]


def everything(client: redis_client.Redis) -> set[bytes]:
    """Names of keys and channels."""
    return {*client.scan_iter(count=1000), *client.pubsub_channels()}
